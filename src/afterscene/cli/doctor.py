"""``afterscene doctor``: what this machine has, and what that means for speed."""

from typing import Any

from afterscene.cli.output import Json, Output, table


def doctor(as_json: Json = False) -> None:
    """Report CPU, memory, GPU, torch and optional packages.

    Ends with advice: what is missing and how to install it.
    """
    from afterscene.cli.machine import survey

    facts = survey()
    Output(json=as_json).result(facts, _text(facts))


def _text(facts: dict[str, Any]) -> str:
    cpu, memory, torch = facts["cpu"], facts["memory"], facts["torch"]
    whole = [name for name, extra in facts["extras"].items() if extra["installed"]]
    rows = [
        ("afterscene", facts["afterscene"]),
        ("python", facts["python"]),
        ("system", facts["system"]),
        ("cpu", f"{cpu['model']}, {cpu['cores']} cores usable"),
        ("instructions", ", ".join(cpu["features"]) or "none that matter"),
        ("memory", f"{memory['total_gb']} GB, {memory['available_gb']} GB free"),
        ("gpu", ", ".join(torch["gpus"]) or "none"),
        ("torch", f"{torch['version']}, {torch['threads']} threads, {torch['cpu_capability']}"),
        ("extras", ", ".join(whole) or "none"),
    ]
    return table(("what", "here"), rows) + "\n\n" + "\n".join(facts["advice"])
