"""ftp.py: commands with what follows them, and the codes of replies."""

ARGUMENTS = {"argument", "username", "password", "account", "marker", "pathname", "file-name", "host-port", "type-code",
             "structure-code", "mode-code", "mechanism", "hostname"}
NAMES = ["ftp.command", "ftp.reply-code"] + [f"ftp.request.{name}" for name in sorted(ARGUMENTS)]


def entries(matches):
    messages, latest = [], {}
    for match in matches:
        if match.name == "command":
            latest[match.stream] = {"stream": match.stream, "command": match.text, "arg": ""}
            messages.append(latest[match.stream])
        elif match.name == "reply-code":
            messages.append({"stream": match.stream, "reply": int(match.text)})
        elif match.name in ARGUMENTS:
            latest[match.stream]["arg"] = match.text
    return messages


def expected(entry):
    if "reply" in entry:
        return {"stream": entry["stream"], "reply": entry["reply"]}
    return {"stream": entry["stream"], "command": entry["command"], "arg": entry.get("arg", "")}


def side(entry):
    return "server" if "reply" in entry else "client"
