"""redis.py: what each side says: how many commands and replies, and what is in the first of them, in order. The truth has, of each
side, the values of its messages, of arrays those of their elements."""

NAMES = ["redis.request", "redis.reply", "redis.push", "redis.command", "redis.argument", "redis.username", "redis.password",
         "redis.simple-string", "redis.integer", "redis.bulk-string", "redis.error", "redis.null"]

# The truth has no more than so many of a side's messages.
FIRST = 40


def message(match, values):
    """What the truth calls what a request, reply or push is, of which the values are known."""
    text = match.text
    if match.side == "client":
        return values if text.startswith("*") else {"inline": text.rstrip("\r\n")}
    if text.startswith("+"):
        return {"simple": values[0]}
    return values if text.startswith("*") else values[0]


def entries(matches):
    sides, values, latest = {}, {}, {}
    for match in matches:
        place = (match.stream, match.side)
        found = values.setdefault(place, [])
        if match.name in ("request", "reply", "push"):
            sides.setdefault(place, []).append(message(match, found))
            values[place] = []
        elif match.kind == "begin":
            latest[place] = ""
        elif match.kind == "piece":
            latest[place] += match.text
        elif match.kind == "end":
            found.append(latest[place])
        else:
            found.append(int(match.text) if match.name == "integer" else match.text)
    return [{"stream": stream, "from": side, "items": len(items), "first_items": items[:FIRST]}
            for (stream, side), items in sides.items()]


def expected(entry):
    return {key: entry[key] for key in ("stream", "from", "items", "first_items")}


def side(entry):
    return entry["from"]
