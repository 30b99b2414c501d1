"""memcached.py: commands by their names; replies by what they begin with, with the names of the first statistics."""

NAMES = ["memcached.command", "memcached.reply", "memcached.stat-name"]

# The truth has no more than so many names.
NAMES_FIRST = 5


def reply(match, stats):
    entry = {"stream": match.stream, "from": "server", "command": match.text.split()[0]}
    if stats:
        entry["stat_lines"] = len(stats)
        entry["stat_names_first"] = stats[:NAMES_FIRST]
    return entry


def entries(matches):
    found, stats = [], {}
    for match in matches:
        names = stats.setdefault(match.stream, [])
        if match.name == "command":
            found.append({"stream": match.stream, "from": "client", "command": match.text})
        elif match.name == "stat-name":
            names.append(match.text)
        else:
            found.append(reply(match, names))
            stats[match.stream] = []
    return found


def expected(entry):
    kept = {key: entry[key] for key in ("stream", "command", "stat_lines", "stat_names_first") if key in entry}
    kept["from"] = "client" if entry["command"].islower() else "server"
    return kept


def side(entry):
    return entry["from"]
