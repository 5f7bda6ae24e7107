"""Find addresses on interfaces, and put ours there and take them away, by `ip address`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from msgspec import Struct

from apid.healthcheck.checks import describe
from apid.healthcheck.lines import Network
from apid.healthcheck.options import AddressOptions, hosts
from apid.healthcheck.process import Processes

LOOPBACK = "lo"
IP_SECONDS = 10.0
IP_OUTPUT = 16 << 20  # octets: some hundred thousand addresses
NEVER_ANNOUNCED = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class AddressError(RuntimeError):
    """An `ip address` command that failed; the message names the address and quotes `ip`."""


class Address(Struct, frozen=True):
    """An address on an interface; `network` is None where it has bits beyond its prefix length."""

    interface: str
    network: Network | None
    label: str
    text: str


def parse_addresses(text: str) -> list[Address]:
    """Return the addresses in the output of `ip -oneline address show`; lines of another form are left out."""
    addresses = []
    for line in text.splitlines():
        words = line.partition("\\")[0].split()
        if len(words) < 4 or words[2] not in ("inet", "inet6"):
            continue
        interface, label = words[1], words[-1]
        try:
            network: Network | None = ip_network(words[3])
        except ValueError:
            network = None
        suffix = label.removeprefix(f"{interface}:") if label.startswith(f"{interface}:") else ""
        addresses.append(Address(interface, network, suffix, words[3]))
    return addresses


class Addresses:
    """The addresses of one health check. What it takes away is what is its own: see `_is_ours`."""

    def __init__(self, options: AddressOptions, processes: Processes, log: logging.Logger) -> None:
        self._options, self._processes, self._log = options, processes, log
        self._added: set[tuple[str, Network]] = set()

    def discover(self) -> list[Network]:
        """Return what is on the loopback and carries the label (if one is wanted), in its order."""
        found = []
        for address in self._present(LOOPBACK):
            if address.network is None:
                self._log.warning("address %s on %s is not announced: it is not a network", address.text, LOOPBACK)
            elif self._has_label(address) and not _is_local(address.network):
                found.append(address.network)
        return found

    def set_up(self) -> None:
        """Add what is missing; AddressError where that fails."""
        for interface, wanted in self._wanted():
            present = {address.network for address in self._present(interface)}
            for network in wanted:
                if network not in present:
                    self._change("add", interface, network)
                    self._added.add((interface, network))
                    self._log.info("address %s is set up on %s", network, interface)

    def take_down(self) -> None:
        """Remove what is ours; what cannot be removed is logged."""
        for interface, wanted in self._wanted():
            ours = set(wanted)
            for address in self._present(interface) if ours else ():
                if address.network in ours and address.network is not None and self._is_ours(address):
                    self._remove(interface, address.network)

    def _remove(self, interface: str, network: Network) -> None:
        try:
            self._change("delete", interface, network)
        except AddressError as error:
            self._log.warning("%s", error)
            return
        self._added.discard((interface, network))
        self._log.info("address %s is taken away from %s", network, interface)

    def _is_ours(self, address: Address) -> bool:
        """Whether an address of --ip is ours to remove: all are if they follow the state, else those we added.

        One with our label is too: a former life of this program may have been killed before it could remove it.
        """
        if self._options.label and address.network is not None and address.network.version == 4:
            return self._has_label(address)
        return self._options.dynamic or (address.interface, address.network) in self._added

    def _wanted(self) -> Iterator[tuple[str, Iterable[Network]]]:
        options = self._options
        if not options.set_up:
            return
        for interface in dict.fromkeys((LOOPBACK, *options.interfaces.values())):
            prefixes = [prefix for prefix in options.prefixes if options.interfaces.get(prefix, LOOPBACK) == interface]
            yield interface, [host for prefix in prefixes for host in hosts("--ip", prefix)]

    def _has_label(self, address: Address) -> bool:
        label = self._options.label
        return address.label == label if label and self._options.exact_label else address.label.startswith(label)

    def _present(self, interface: str) -> list[Address]:
        output = self._ip(("-oneline", "address", "show", "dev", interface), sudo=False)
        return [address for address in parse_addresses(output) if address.interface == interface]

    def _change(self, verb: str, interface: str, network: Network) -> None:
        label = self._options.label
        # IPv6 addresses cannot carry a label.
        named = ("label", f"{interface}:{label}") if label and verb == "add" and network.version == 4 else ()
        self._ip(("address", verb, str(network), "dev", interface, *named), self._options.sudo)

    def _ip(self, arguments: tuple[str, ...], sudo: bool) -> str:
        command = ("sudo", "-n", "ip", *arguments) if sudo else ("ip", *arguments)
        outcome = self._processes.run(command, dict(os.environ), IP_SECONDS, keep=IP_OUTPUT)
        if outcome.status != 0:
            raise AddressError(f"{' '.join(command)}: {describe(outcome)} {outcome.output}".strip())
        return outcome.output


def _is_local(network: Network) -> bool:
    return any(network.version == local.version and network.subnet_of(local) for local in NEVER_ANNOUNCED)  # type: ignore[arg-type]
