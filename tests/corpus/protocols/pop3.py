"""pop3.py: commands with their arguments, what is said after AUTH, and statuses with their texts."""

NAMES = ["pop3.command", "pop3.auth-response", "pop3.status", "pop3.reply-text"]


def command(text):
    verb, _, argument = text.rstrip().partition(" ")
    return {"command": verb, "arg": argument}


def entries(matches):
    found, latest = [], {}
    for match in matches:
        entry = {"stream": match.stream, "side": match.side}
        if match.name == "reply-text":
            latest[match.stream]["text"] = match.text
            continue
        if match.name == "status":
            entry["status"], entry["text"] = match.text, ""
            latest[match.stream] = entry
            if match.text == "+":  # the truth has no challenges
                continue
        else:
            entry.update(command(match.text))
        found.append(entry)
    return found


def expected(entry):
    known = {"stream": entry["stream"], "side": side(entry)}
    if "status" in entry:
        known["status"], known["text"] = entry["status"], entry.get("text", "")
    else:
        known["command"], known["arg"] = entry["command"], entry.get("arg", "")
    return known


def side(entry):
    return "server" if "status" in entry else "client"
