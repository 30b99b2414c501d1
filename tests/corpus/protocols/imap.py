"""imap.py: commands with their tags, names, passwords and mailboxes, and the tagged responses to them.

The truth has an entry for each frame, with all commands or tagged responses in it; tshark takes the `)` behind a literal
for a tag, too."""

TEXTS = {"username": "user", "password": "pass", "mailbox": "folder"}
NAMES = ["imap.tag", "imap.command", "imap.response.status"] + [f"imap.request.{name}" for name in TEXTS]


def entries(matches):
    messages, latest = [], {}
    for match in matches:
        place = (match.stream, match.side)
        if match.name == "tag":
            latest[place] = {"stream": match.stream, "tag": match.text}
            messages.append(latest[place])
        elif match.name in TEXTS:
            latest[place][TEXTS[match.name]] = match.text
        elif place in latest:  # the greeting has no tag
            latest[place][match.name] = match.text
    return messages


def merged(theirs):
    messages = []
    for entry in theirs:
        for command in entry.get("commands", []):
            texts = {key: entry[key].strip('"') for key in TEXTS.values() if key in entry}
            messages.append({"stream": entry["stream"], **command, **texts})
        tags = [tag for tag in entry.get("tags", []) if tag != ")"]
        for tag, status in zip(tags, entry.get("status", [])):
            messages.append({"stream": entry["stream"], "tag": tag, "status": status})
    return messages


def side(entry):
    return "client" if "command" in entry else "server"
