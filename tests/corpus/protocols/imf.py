"""imf.py: fields of messages, as they were sent, that smtp, pop3 and others feed to mime. The name is tshark's."""

KEYS = {"From": "from", "To": "to", "Cc": "cc", "Subject": "subject", "Message-ID": "message_id",
        "Content-Type": "content_type"}
# An anomaly of a value leaves the field's own.
NAMES = ["mime.From", "mime.To", "mime.Cc", "mime.Subject", "mime.Message-ID", "mime.Content-Type", "mime.content",
         "smtp.verb"]


def entries(matches):
    messages, latest = [], {}
    for match in matches:
        place = (match.stream, match.side)
        if match.name == "verb":  # what comes then is another message
            latest.pop(place, None)
            continue
        if place not in latest:
            latest[place] = {"stream": match.stream, "side": match.side, "has_content": False}
            messages.append(latest[place])
        message = latest[place]
        if match.name == "content":
            message["has_content"] = True
        elif KEYS[match.name] not in message:  # not those of its parts
            message[KEYS[match.name]] = match.text
    return [{key: message[key] for key in message if key != "has_content"} for message in messages]


def expected(entry):
    return {key: entry[key] for key in entry if key != "frame"} | {"side": side(entry)}


def side(entry):
    return entry.get("side", "client")
