"""irc.py: messages, by their commands or numbers."""

NAMES = ["irc.command", "irc.numeric"]


def entries(matches):
    return [{"stream": match.stream, "from": match.side,
             match.name: str(int(match.text)) if match.name == "numeric" else match.text} for match in matches]


def expected(entry):
    return {key: entry[key] for key in ("stream", "from", "command", "numeric") if key in entry}


def side(entry):
    return entry["from"]
