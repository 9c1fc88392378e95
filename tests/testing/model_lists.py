"""Model lists that tests write."""

from pathlib import Path

from parley.models.registry import INTERFACES


def any_model(folder: Path, speech: str = "speech") -> str:
    """The path of a list that takes any name for a model, over this interface where it speaks."""
    interfaces = {stage: usual[0] for stage, usual in INTERFACES.items()} | {"tts": speech}
    columns = "| model | default | interface |\n|---|---|---|\n"
    tables = [
        f"# {stage}\n\n{columns}| m | yes | {face} |\n| * | | {face} |\n"
        for stage, face in interfaces.items()
    ]
    (folder / "list.md").write_text("\n".join(tables))
    return str(folder / "list.md")
