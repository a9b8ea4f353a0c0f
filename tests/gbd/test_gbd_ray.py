"""The same build on Ray: the same tree, also when a node is lost in the middle."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import toys
from afterscene import gbd
from afterscene.errors import NotFinite, UnknownName

ray = pytest.importorskip("ray", reason="needs the extra scale")
pytestmark = pytest.mark.slow  # starting a cluster takes some ten seconds


@dataclass(frozen=True)
class Slow:
    """Takes its time and notes each picture it draws."""

    notes: Path
    hash: str = toys.ToyGenerator.hash
    drawn_as = toys.ToyGenerator.drawn_as

    def nodes(self):
        return len({path.name.split("-")[0] for path in self.notes.iterdir()})

    def render(self, pre, damage, *, seed, **kwargs):
        node = ray.get_runtime_context().get_node_id()
        (self.notes / f"{node}-{seed}-{time.monotonic_ns()}").touch()
        until = time.monotonic() + 90  # a worker of the other node may still be starting
        while self.nodes() < 2 and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.3)
        return toys.ToyGenerator().render(pre, damage, seed=seed)


@dataclass(frozen=True)
class Fails:
    hash: str = toys.ToyGenerator.hash
    drawn_as = toys.ToyGenerator.drawn_as

    def render(self, pre, damage, **kwargs):
        raise NotFinite("no luck")


@pytest.fixture(scope="module")
def cluster():
    """A head without a processor and two nodes with one each."""
    from ray.cluster_utils import Cluster

    here = Path(__file__).parent
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(here), str(here.parent), before])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    cluster.wait_for_nodes()
    yield cluster, nodes
    ray.shutdown()
    cluster.shutdown()
    os.environ["PYTHONPATH"] = before


@pytest.fixture
def stored(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd")
    asked = {"hazards": ("wind", "flood"), "count": 24, "seed": 7}
    return toys.plan_file(tmp_path / "plan.jsonl", tree, shard_size=2, **asked).plan


def build(stored, out, generator, **options):
    return gbd.build(
        stored,
        out,
        generator,
        rendering=gbd.Rendering(),
        options=gbd.RunOptions(**options),
    )


def test_an_error_on_a_node_is_the_error_of_the_build(stored, cluster, tmp_path):
    with pytest.raises(NotFinite, match="no luck"):
        build(stored, tmp_path / "out", Fails(), ray=cluster[0].address)


def test_ray_makes_the_tree_of_one_process_though_a_node_is_lost(stored, cluster, tmp_path):
    """Last of the module: it removes the node."""
    build(stored, tmp_path / "whole", toys.ToyGenerator())
    (tmp_path / "notes").mkdir()
    whole, removed = cluster[0], []

    def remove():
        slow = Slow(tmp_path / "notes")
        while slow.nodes() < 2 or not list((tmp_path / "out" / ".done").glob("0*")):
            time.sleep(0.05)
        whole.remove_node(cluster[1][1], allow_graceful=False)
        removed.append(len(list((tmp_path / "out" / ".done").iterdir())))

    saboteur = threading.Thread(target=remove)
    saboteur.start()
    report = build(stored, tmp_path / "out", Slow(tmp_path / "notes"), ray=whole.address)
    saboteur.join()
    assert removed and 0 < removed[0] < 12, "the node was there until the end"
    assert Slow(tmp_path / "notes").nodes() == 2, "only one node ever worked"
    assert (report.made, report.skipped) == (24, ())
    assert toys.files_of(tmp_path / "out") == toys.files_of(tmp_path / "whole")


def test_an_address_without_a_cluster_is_named(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def refuse(**kwargs):
        raise ConnectionError("nobody there")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(UnknownName, match=r"127\.0\.0\.1:1.*nobody there"):
        build(stored, tmp_path / "out", toys.ToyGenerator(), ray="127.0.0.1:1")
