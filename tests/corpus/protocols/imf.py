"""imf.py: fields of messages, as they were sent, that smtp, pop3 and imap feed to mime. The name is tshark's."""

KEYS = {"From": "from", "To": "to", "Cc": "cc", "Subject": "subject", "Message-ID": "message_id",
        "Content-Type": "content_type"}
# The truth has no more than so many characters of a text.
TEXT_LEN = 200
NAMES = [f"mime.{field}" for field in KEYS] + ["smtp.message", "pop3.message", "imap.message", "imap.header"]


def entries(matches):
    messages, latest = [], {}
    for match in matches:
        place = (match.stream, match.side)
        if match.kind != "element":
            if match.kind == "begin":
                latest[place] = {"stream": match.stream}
            continue
        if place not in latest:  # a part of a form, which is no message
            continue
        message = latest[place]
        if len(message) == 1:
            messages.append(message)
        message.setdefault(KEYS[match.name], match.text[:TEXT_LEN].strip())  # those of its parts come later
    return messages


def expected(entry):
    return {key: value.strip() if isinstance(value, str) else value for key, value in entry.items() if key != "frame"}


def side(_):
    return "message"
