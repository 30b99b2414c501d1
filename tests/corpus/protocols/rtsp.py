"""rtsp.py: requests and responses: their first lines, and what the truth has of their headers."""

# The truth's keys, and our elements.
KEYS = {"method": "method", "request-uri": "url", "status-code": "status", "Content-Length": "content_length"}
HEADERS = {"Session": "session", "Transport": "transport", "Content-Type": "content_type"}
NAMES = ["rtsp.method", "rtsp.request-uri", "rtsp.status-code", "rtsp.Content-Length", "rtsp.message-header"]


def entries(matches):
    latest, messages = {}, []
    for match in matches:
        place = (match.stream, match.side)
        if match.name in ("method", "status-code"):
            latest[place] = {"stream": match.stream}
            messages.append(latest[place])
        message = latest[place]
        if match.name == "message-header":
            name, value = match.text.split(":", 1)
            if name in HEADERS:
                message[HEADERS[name]] = value.strip()
        else:
            message[KEYS[match.name]] = match.text
    return messages


def expected(entry):
    return {key: value for key, value in entry.items() if key != "frame"}


def side(entry):
    """Both sides send both."""
    return "request" if "method" in entry else "response"
