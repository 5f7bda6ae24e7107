"""Events for helpers: JSON in both layouts, and text. Pure."""

from apid.render.decode import decode_event, decode_nlri, octets_of
from apid.render.dialect import DIALECTS, Dialect
from apid.render.envelope import NeighborContext, ProcessContext
from apid.render.form import RECEIVE, SEND, Form
from apid.render.renderer import Renderer
from apid.render.show import ShownRoute, route_json, route_json_v2, route_text

__all__ = [
    "DIALECTS",
    "RECEIVE",
    "SEND",
    "Dialect",
    "Form",
    "NeighborContext",
    "ProcessContext",
    "Renderer",
    "ShownRoute",
    "decode_event",
    "decode_nlri",
    "octets_of",
    "route_json",
    "route_json_v2",
    "route_text",
]
