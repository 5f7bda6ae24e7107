"""The journal: it always starts, keeps all that was acknowledged before any damage, and says what it dropped."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ribd.journal
from bus.daemon import RunDirectory, take_lock
from bus.schema import Applied, Apply, Refused
from ribd.journal import FRAME, RECORD_LIMIT, Damage, Journal, frame, read_records
from tests.unit.rib_bench import UNICAST, Daemon, SimulatedPeer, attributes, unicast

FLIPS = 1000  # places at which a bit of a daemon's log is flipped
RECORDS = [b"first", b"second record", b"", b"x" * 40, b"last"]


def written(path: Path, records: list[bytes]) -> bytes:
    octets = b"".join(map(frame, records))
    path.write_bytes(octets)
    return octets


def ends_of(records: list[bytes]) -> list[int]:
    """Return the offset behind each record."""
    ends, offset = [], 0
    for record in records:
        offset += FRAME.size + len(record)
        ends.append(offset)
    return ends


def test_records_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log-0"
    written(path, RECORDS)
    damage: list[Damage] = []
    assert list(read_records(path, damage)) == RECORDS
    assert damage == []


def test_a_log_cut_at_any_octet_keeps_the_whole_records_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "log-0"
    octets = written(path, RECORDS)
    ends = ends_of(RECORDS)
    for length in range(len(octets)):
        path.write_bytes(octets[:length])
        damage: list[Damage] = []
        whole = sum(end <= length for end in ends)
        assert list(read_records(path, damage)) == RECORDS[:whole]
        good = ends[whole - 1] if whole else 0
        if length == good:
            assert damage == []
        else:
            assert damage == [Damage(path, good, length - good, torn=True)]


def test_a_flipped_bit_anywhere_is_damage_and_keeps_the_records_before_it(tmp_path: Path) -> None:
    path = tmp_path / "log-0"
    octets = written(path, RECORDS)
    ends = ends_of(RECORDS)
    for place in range(len(octets)):
        for bit in range(8):
            path.write_bytes(octets[:place] + bytes((octets[place] ^ 1 << bit,)) + octets[place + 1 :])
            damage: list[Damage] = []
            whole = sum(end <= place for end in ends)
            assert list(read_records(path, damage)) == RECORDS[:whole], (place, bit)
            good = ends[whole - 1] if whole else 0
            # Never `torn`: sessions may have been sent what is lost here, so their cursors must not be believed.
            assert damage == [Damage(path, good, len(octets) - good, torn=False)], (place, bit)


def test_zeros_that_a_crashed_host_left_are_damage_and_no_records(tmp_path: Path) -> None:
    path = tmp_path / "log-0"
    octets = written(path, RECORDS)
    path.write_bytes(octets + bytes(4096))
    damage: list[Damage] = []
    assert list(read_records(path, damage)) == RECORDS
    assert damage == [Damage(path, len(octets), 4096, torn=False)]


def test_an_absurd_length_is_damage_and_reserves_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "log-0"
    honest = frame(b"")
    absurd = ribd.journal._MEASURES.pack(RECORD_LIMIT + 1, 0)
    path.write_bytes(honest + absurd + ribd.journal.zlib.crc32(absurd).to_bytes(4, "big"))
    damage: list[Damage] = []
    assert list(read_records(path, damage)) == [b""]
    assert [harm.torn for harm in damage] == [False]


@pytest.fixture(autouse=True)
def _descriptors_are_given_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the logs of all journals that a test made: the daemon's own end with it."""
    made: list[Journal] = []
    initialize = Journal.__init__

    def remember(journal: Journal, directory: Path, durable: bool = False) -> None:
        initialize(journal, directory, durable)
        made.append(journal)

    monkeypatch.setattr(Journal, "__init__", remember)
    yield
    for descriptor in {journal._log for journal in made if journal._log >= 0}:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def recovered(directory: Path) -> tuple[list[tuple[str, bytes]], list[Damage], Journal]:
    """Start on a directory as ribd does."""
    journal = Journal(directory)
    damage: list[Damage] = []
    records = list(journal.recover(damage))
    return records, damage, journal


def test_a_torn_tail_is_cut_off_and_writing_goes_on_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "log-0"
    octets = written(path, RECORDS)
    path.write_bytes(octets[:-1])
    records, damage, journal = recovered(tmp_path)
    assert records == [("log", record) for record in RECORDS[:-1]]
    assert [str(harm) for harm in damage] == [
        f"unfinished record in {path} at octet {ends_of(RECORDS)[-2]}, {FRAME.size + 3} octets dropped"
    ]
    journal.open(damage)
    journal.append([b"new"])
    records, damage, _ = recovered(tmp_path)
    assert records == [("log", record) for record in [*RECORDS[:-1], b"new"]]
    assert damage == []


def test_an_unfinished_record_in_a_log_that_others_follow_is_damage(tmp_path: Path) -> None:
    octets = written(tmp_path / "log-0", RECORDS)
    (tmp_path / "log-0").write_bytes(octets[:-1])
    written(tmp_path / "log-1", [b"later"])
    records, damage, _ = recovered(tmp_path)
    assert records == [("log", record) for record in RECORDS[:-1]]
    assert [harm.torn for harm in damage] == [False]


def test_the_newest_snapshot_and_the_logs_since_are_read(tmp_path: Path) -> None:
    written(tmp_path / "snapshot-1", [b"old"])
    written(tmp_path / "log-1", [b"forgotten"])
    written(tmp_path / "snapshot-2", [b"state"])
    written(tmp_path / "log-2", [b"a"])
    written(tmp_path / "log-3", [b"b"])
    (tmp_path / "writing-4").write_bytes(b"half a snapshot")
    (tmp_path / "unrelated").write_bytes(b"not ours")
    records, damage, journal = recovered(tmp_path)
    assert records == [("snapshot", b"state"), ("log", b"a"), ("log", b"b")]
    assert damage == []
    journal.open(damage)
    journal.append([b"c"])
    assert not (tmp_path / "writing-4").exists()
    assert list(read_records(tmp_path / "log-3", [])) == [b"b", b"c"]


def test_starting_over_leaves_one_snapshot_and_one_log(tmp_path: Path) -> None:
    for number in range(3):
        written(tmp_path / f"log-{number}", [b"x"])
    _, _, journal = recovered(tmp_path)
    journal.start_over([b"state"])
    journal.append([b"new"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log-3", "snapshot-3"]
    records, damage, _ = recovered(tmp_path)
    assert (records, damage) == ([("snapshot", b"state"), ("log", b"new")], [])


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """Let files grow no further than a limit: what a full disk looks like to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda octets: resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, former)


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, file_size_limit: Callable[[int], None]) -> None:
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"kept"])
    size = (tmp_path / "log-0").stat().st_size
    for limit in (size, size + 1, size + FRAME.size, size + FRAME.size + 50):
        file_size_limit(limit)
        with pytest.raises(OSError, match=r"."):
            journal.append([b"y" * 100])
        file_size_limit(resource.RLIM_INFINITY)
        assert (tmp_path / "log-0").stat().st_size == size
    journal.append([b"again"])
    assert [record for _, record in recovered(tmp_path)[0]] == [b"kept", b"again"]


def wait_for_writer(journal: Journal) -> bool | None:
    """Wait for the snapshot's writer, and return what `reap` says of it."""
    os.waitid(os.P_PID, journal._writer, os.WEXITED | os.WNOWAIT)
    return journal.reap()


def test_records_that_are_written_during_compaction_survive_it(tmp_path: Path) -> None:
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"before"])
    reading, writing = os.pipe()

    def slowly() -> Iterator[bytes]:
        yield b"state"
        os.read(reading, 1)

    journal.compact(slowly())
    assert journal.reap() is None
    assert not journal.wants_compaction
    journal.append([b"meanwhile"])
    assert [record for _, record in recovered(tmp_path)[0]] == [b"before", b"meanwhile"]
    os.write(writing, b"!")
    assert wait_for_writer(journal) is True
    journal.append([b"after"])
    records, damage, _ = recovered(tmp_path)
    assert records == [("snapshot", b"state"), ("log", b"meanwhile"), ("log", b"after")]
    assert damage == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log-1", "snapshot-1"]
    assert journal.reap() is None


def test_a_writer_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"before"])
    reading, writing = os.pipe()

    def never() -> Iterator[bytes]:
        yield b"x" * (2 << 20)
        os.read(reading, 1)

    journal.compact(never())
    journal.append([b"meanwhile"])
    os.kill(journal._writer, signal.SIGKILL)
    assert wait_for_writer(journal) is False
    os.close(reading)
    os.close(writing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log-0", "log-1"]
    assert [record for _, record in recovered(tmp_path)[0]] == [b"before", b"meanwhile"]
    journal.compact([b"state"])
    assert wait_for_writer(journal) is True
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log-2", "snapshot-2"]


def test_a_snapshot_that_does_not_fit_the_disk_costs_nothing(
    tmp_path: Path, file_size_limit: Callable[[int], None]
) -> None:
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"before"])
    file_size_limit(1000)
    journal.compact([b"x" * 5000])
    assert wait_for_writer(journal) is False
    file_size_limit(resource.RLIM_INFINITY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log-0", "log-1"]
    assert [record for _, record in recovered(tmp_path)[0]] == [b"before"]


def test_a_log_that_cannot_be_opened_leaves_the_old_one_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"before"])

    def refuse(*_arguments: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(OSError, match="too many open files"):
            journal.compact([b"state"])
    journal.append([b"after"])
    assert [record for _, record in recovered(tmp_path)[0]] == [b"before", b"after"]


def test_a_log_is_compacted_when_it_has_outgrown_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ribd.journal, "COMPACT_AT", 1000)
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"x" * 900])
    assert not journal.wants_compaction
    journal.append([b"x" * 900])
    assert journal.wants_compaction
    journal.compact([b"y" * 5000])
    assert wait_for_writer(journal) is True
    journal.append([b"x" * 9000])
    assert not journal.wants_compaction
    journal.append([b"x" * 2000])
    assert journal.wants_compaction


def test_the_writer_of_a_snapshot_ends_with_ribd_so_that_the_next_one_gets_the_lock(tmp_path: Path) -> None:
    never, open_until_the_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(open_until_the_end)
            take_lock(tmp_path / "lock")
            journal = Journal(tmp_path)
            journal.open([])
            journal.append([b"before"])
            journal.compact(str(os.read(never, 1)).encode() for _ in range(1))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        os.close(take_lock(tmp_path / "lock", 10.0))
    finally:
        os.close(open_until_the_end)
        os.close(never)
    assert recovered(tmp_path)[0] == [("log", b"before")]


def test_a_durable_journal_syncs_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    journal = Journal(tmp_path, durable=True)
    journal.open([])
    journal.append([b"record"])
    assert len(synced) == 1


# The daemon on a damaged journal


def history(daemon: Daemon) -> None:
    """Announce five routes one by one, and take the second back."""
    daemon.enrol(["a"])
    for number in range(5):
        daemon.apply(["a"], 1, UNICAST, 1, [unicast(number)])
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(1)])


def announced(daemon: Daemon) -> set[bytes]:
    table = daemon.state.rib.of.get("a")
    return set() if table is None else {item for _, item in table.family(UNICAST).routes()}


def test_the_daemon_starts_on_a_log_cut_at_any_octet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    history(daemon)
    [path] = RunDirectory(tmp_path).journal.glob("log-*")
    [snapshot] = RunDirectory(tmp_path).journal.glob("snapshot-*")
    octets, base, lineage = path.read_bytes(), snapshot.read_bytes(), daemon.state.lineage
    counts = []
    for length in range(len(octets) + 1):
        for old in RunDirectory(tmp_path).journal.iterdir():
            old.unlink()
        path.write_bytes(octets[:length])
        snapshot.write_bytes(base)
        daemon.start()
        assert daemon.state.lineage == lineage  # nobody was told that the cut record counts
        counts.append(len(announced(daemon)))
        if length > 100:
            daemon.sequence = 100
            daemon.apply(["a"], 1, UNICAST, 2, [unicast(50)])
            before = daemon.versions()
            daemon.start()
            assert daemon.versions() == before
    assert set(counts) == {0, 1, 2, 3, 4, 5}
    assert counts[-1] == 4


def test_the_daemon_starts_on_a_log_with_a_flipped_bit_and_takes_a_new_lineage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    history(daemon)
    [path] = RunDirectory(tmp_path).journal.glob("log-*")
    [snapshot] = RunDirectory(tmp_path).journal.glob("snapshot-*")
    octets, base, lineage = path.read_bytes(), snapshot.read_bytes(), daemon.state.lineage
    rng = random.Random(7)
    for place in sorted(rng.choices(range(len(octets)), k=FLIPS)):
        for old in RunDirectory(tmp_path).journal.iterdir():
            old.unlink()
        path.write_bytes(octets[:place] + bytes((octets[place] ^ 1 << rng.randrange(8),)) + octets[place + 1 :])
        snapshot.write_bytes(base)
        caplog.clear()
        with caplog.at_level("WARNING"):
            daemon.start()
        assert f"damage in {path} at octet" in caplog.text
        assert daemon.state.lineage != lineage
        kept = list(read_records(path, [])) if path.exists() else []
        assert kept == []  # replaced by a snapshot
        daemon.start()
        assert daemon.state.lineage != lineage


def test_the_daemon_keeps_what_stands_before_damage_in_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ribd.state.ROWS", 10)
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(100)])
    daemon.rib._journal.start_over(daemon.state.snapshot())
    [path] = RunDirectory(tmp_path).journal.glob("snapshot-*")
    octets = path.read_bytes()
    rng = random.Random(11)
    seen = set()
    for place in sorted(rng.sample(range(len(octets)), 50)):
        for old in RunDirectory(tmp_path).journal.iterdir():
            old.unlink()
        path.write_bytes(octets[:place] + bytes((octets[place] ^ 1 << rng.randrange(8),)) + octets[place + 1 :])
        daemon.start()
        kept = announced(daemon)
        assert kept == {unicast(number) for number in range(len(kept))}
        assert len(kept) % 10 == 0
        seen.add(len(kept))
        daemon.enrol(["a"])
        peer = SimulatedPeer("a", place)
        peer.drain(daemon)
        assert len(peer.table) == len(kept)
    assert len(seen) > 5


@pytest.mark.parametrize("lease", [(), (30,)])
def test_a_snapshot_of_long_routes_and_many_leases_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lease: tuple[int, ...]
) -> None:
    for module in ("journal", "state"):
        monkeypatch.setattr(f"ribd.{module}.RECORD_LIMIT", 3000)
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    for start in range(0, 1000, 100):
        daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(start, start + 100)], *lease)
    before, versions = announced(daemon), daemon.versions()
    leases = daemon.state.rib.of["a"].families[UNICAST].leases.seconds
    daemon.rib._journal.start_over(daemon.state.snapshot())
    daemon.start()
    assert announced(daemon) == before
    assert daemon.versions() == versions
    assert daemon.state.rib.of["a"].families[UNICAST].leases.seconds == leases


def test_a_record_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    _, damage, journal = recovered(tmp_path)
    journal.open(damage)
    journal.append([b"one"])
    with pytest.raises(ValueError, match="at most"):
        journal.start_over([bytes(RECORD_LIMIT + 1)])
    assert recovered(tmp_path)[0] == [("log", b"one")]


def test_a_session_from_before_the_damage_is_told_to_start_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    history(daemon)
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    [path] = RunDirectory(tmp_path).journal.glob("log-*")
    octets = path.read_bytes()
    path.write_bytes(octets[:-3] + b"\xff" + octets[-2:])
    daemon.start()
    assert peer.pull(daemon)
    assert peer.resyncs == 1


def test_a_request_that_is_repeated_after_the_damage_is_carried_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    history(daemon)
    [path] = RunDirectory(tmp_path).journal.glob("log-*")
    octets = path.read_bytes()
    path.write_bytes(octets[:-3] + b"\xff" + octets[-2:])
    daemon.start()
    assert unicast(1) in announced(daemon)
    change = [0, 0, *UNICAST, b"", [unicast(1)]]
    request = Apply("client", "epoch", daemon.sequence, [["a"]], [change])
    assert daemon.request(request) == [Applied(daemon.sequence, "epoch")]
    assert unicast(1) not in announced(daemon)


def test_commands_are_refused_while_the_disk_is_full_and_taken_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    history(daemon)
    versions = daemon.versions()
    write = os.write

    def full(_descriptor: int, octets: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def request(sequence: int, number: int) -> Apply:
        return Apply("client", "epoch", sequence, [["a"]], [[0, 1, *UNICAST, attributes(1), [unicast(number)]]])

    monkeypatch.setattr(os, "write", full)
    for sequence in (8, 9):
        [answer] = daemon.request(request(sequence, 60 + sequence))
        assert isinstance(answer, Refused)
        assert "No space left on device" in answer.reason
    assert daemon.request(request(7, 1)) == [Applied(7, "epoch")]  # in force since before
    assert daemon.versions() == versions
    monkeypatch.setattr(os, "write", write)
    assert daemon.request(request(10, 70)) == [Applied(10, "epoch")]
    assert daemon.request(request(8, 68)) == [Applied(8, "epoch")]  # said again
    assert daemon.request(request(8, 68)) == [Applied(8, "epoch")]
    assert {unicast(70), unicast(68)} <= announced(daemon)
    assert unicast(69) not in announced(daemon)
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions
    [answer] = daemon.request(request(9, 69))  # refused then: carried out now
    assert answer == Applied(9, "epoch")
    assert unicast(69) in announced(daemon)
