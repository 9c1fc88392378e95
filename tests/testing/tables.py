"""The tables of the documents, as the tests read them."""


def rows(document: str, first: str) -> list[list[str]]:
    """The rows of the table whose header begins with the cell `first`, below its rule."""
    lines = iter(document.splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table[1:]
