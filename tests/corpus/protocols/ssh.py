"""ssh.py: banners, and the messages that are complete with a packet: the truth has entries for packets."""

LISTS = {"kex-algorithms": "kex_first", "server-host-key-algorithms": "host_key_first"}
NAMES = [f"ssh.{name}" for name in ["banner", "packet", "message-number", *LISTS]]


def entries(matches):
    """Parts come before the packet that they are in."""
    found, parts, latest = {}, {}, {}
    for match in matches:
        place = (match.stream, match.side)
        if match.name not in ("banner", "packet"):
            parts.setdefault(place, []).append(match)
            continue
        frame = latest[place] = max(match.frame, latest.get(place, 0))  # one that came too early waits for those before it
        entry = found.setdefault((match.stream, frame), {"stream": match.stream, "frame": frame, "messages": []})
        if match.name == "banner":
            entry["banner"] = match.text
        for part in parts.pop(place, []):
            if part.name == "message-number":
                entry["messages"].append(str(part.bytes[0]))
            else:
                entry[LISTS[part.name]] = part.text.split(",")[0]
    return [found[key] for key in sorted(found)]


def expected(entry):
    return {"messages": [], **entry}


def side(_):
    """The truth does not say who sent a packet."""
    return "both"
