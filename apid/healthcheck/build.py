"""Make checked options of what stands on the command line and in the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apid.healthcheck.lines import Wording
from apid.healthcheck.machine import Settings, State
from apid.healthcheck.options import (
    AddressOptions,
    CheckOptions,
    Logging,
    OptionError,
    Options,
    ProcessOptions,
    check_next_hop,
    check_words,
    hosts,
    parse_changes,
    parse_endpoint,
    parse_interface,
    parse_prefix,
    parse_query,
    parse_statuses,
)

WORDS = ("community", "extended_community", "large_community", "disabled_community", "as_path", "path_id")


def build(values: Mapping[str, Any]) -> Options:
    """Return the options; keys are option names with underscores. OptionError where one cannot be."""
    wording = _wording(values)
    return Options(_logging(values), _machine(values), _check(values), _addresses(values), wording, _process(values))


def _logging(values: Mapping[str, Any]) -> Logging:
    facility = "" if values["no_syslog"] else values["syslog_facility"]
    return Logging(values["silent"], facility, values["debug"], values["name"])


def _machine(values: Mapping[str, Any]) -> Settings:
    if values["repeat"] and values["debounce"]:
        raise OptionError("--repeat and --debounce contradict each other: --debounce is how it works without --repeat")
    count, period = parse_changes(values["max_changes"]) if values["max_changes"] else (0, 0.0)
    return Settings(
        rise=values["rise"],
        fall=values["fall"],
        interval=values["interval"],
        fast_interval=values["fast_interval"],
        repeat=values["repeat"],
        dynamic_addresses=values["dynamic_ip_setup"] and not values["no_ip_setup"],
        max_changes=count,
        period=period,
    )


def _check(values: Mapping[str, Any]) -> CheckOptions:
    if values["tcp"]:
        parse_endpoint("--tcp", values["tcp"])
    if values["dns"]:
        parse_query(values["dns"])
    for option in ("http_status", "http_body", "http_insecure"):
        if values[option] and not values["http"]:
            raise OptionError(f"--{option.replace('_', '-')} says something about --http, which is missing")
    default = CheckOptions()
    return CheckOptions(
        command=values["command"],
        http=values["http"],
        http_status=parse_statuses(values["http_status"]) if values["http_status"] else default.http_status,
        http_body=values["http_body"],
        http_insecure=values["http_insecure"],
        tcp=values["tcp"],
        dns=values["dns"],
        timeout=values["timeout"],
        disable=values["disable"],
    )


def _addresses(values: Mapping[str, Any]) -> AddressOptions:
    prefixes = [parse_prefix("--ip", text) for text in values["ip"]]
    interfaces = dict(parse_interface(text) for text in values["ip_ifname"])
    prefixes += [prefix for prefix in interfaces if prefix not in prefixes]
    set_up = not values["no_ip_setup"]
    for prefix in prefixes if set_up else []:
        hosts("--ip", prefix)
    return AddressOptions(
        prefixes=tuple(prefixes),
        interfaces=interfaces,
        set_up=set_up,
        dynamic=values["dynamic_ip_setup"] and set_up,
        label=values["label"],
        exact_label=values["label_exact_match"],
        sudo=values["sudo"],
        deaggregate=values["deaggregate_networks"],
        start=values["start_ip"],
    )


def _wording(values: Mapping[str, Any]) -> Wording:
    states = ((State.UP, "up"), (State.DOWN, "down"), (State.DISABLED, "disabled"))
    words = {name: check_words(f"--{name.replace('_', '-')}", values[name]) for name in WORDS}
    return Wording(
        next_hop=check_next_hop(values["next_hop"]),
        neighbors=tuple(check_words("--neighbor", name) for name in values["neighbor"]),
        metrics={state: values[f"{name}_metric"] for state, name in states},
        increase=values["increase"],
        local_preference=values["local_preference"],
        as_paths={state: check_words(f"--{name}-as-path", values[f"{name}_as_path"]) for state, name in states},
        withdraw_on_down=values["withdraw_on_down"],
        **words,
    )


def _process(values: Mapping[str, Any]) -> ProcessOptions:
    hooks = (
        (State.UP, values["up_execute"]),
        (State.DOWN, values["down_execute"]),
        (State.DISABLED, values["disabled_execute"]),
        (None, values["execute"]),
    )
    return ProcessOptions(
        acknowledged=not values["no_ack"],
        pid_file=values["pid"],
        user=values["user"],
        group=values["group"],
        hooks=tuple((state, command) for state, command in hooks if command),
        hook_timeout=values["hook_timeout"],
    )
