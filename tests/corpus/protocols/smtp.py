"""smtp.py: commands with their arguments, what AUTH LOGIN says, and replies with the number of their lines."""

import base64

NAMES = ["smtp.command", "smtp.auth-mechanism", "smtp.username", "smtp.password", "smtp.reply"]


def command(text):
    line = text.split("\n", 1)[0].rstrip()
    verb, _, argument = line.partition(" ")
    return {"command": verb.upper(), "arg": argument.strip()}


def entries(matches):
    mechanism, found = {}, []
    for match in matches:
        entry = {"stream": match.stream, "side": match.side}
        if match.name == "auth-mechanism":
            mechanism[match.stream] = match.text.upper()
            continue
        if match.name == "reply":
            entry["reply"], entry["reply_lines"] = int(match.text[:3]), match.text.count("\n")
        elif match.name == "command":
            entry.update(command(match.text))
        elif mechanism[match.stream] == "LOGIN":  # the truth has no others
            entry[match.name] = match.text
        else:
            continue
        found.append(entry)
    return found


def expected(entry):
    known = {key: entry[key] for key in ("stream", "reply", "reply_lines") if key in entry}
    known["side"] = side(entry)
    if "command" in entry:
        known.update(command(entry["command"] + " " + entry.get("arg", "")))
    for key, name in (("auth_user", "username"), ("auth_pass", "password")):
        if key in entry:
            known[name] = base64.b64decode(entry[key]).decode()
    return known


def side(entry):
    return "server" if "reply" in entry else "client"
