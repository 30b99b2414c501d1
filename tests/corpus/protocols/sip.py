"""sip.py: requests and responses, in datagrams and on connections: their first lines, and what the truth has of their headers."""

# The truth's keys, and our elements.
KEYS = {"method": "method", "request-uri": "uri", "status-code": "status", "Call-ID": "call_id", "CSeq": "cseq",
        "Content-Length": "content_length"}
NAMES = ["sip.request-uri", "sip.request-line.method", "sip.status-code", "sip.From.uri", "sip.To.uri", "sip.Call-ID", "sip.CSeq",
         "sip.Content-Length"]
NAMES += [f"sip.header-value[{name}]" for name in ("Via", "v", "Expires", "Content-Type", "c")]


def entries(matches):
    latest, messages = {}, []
    for match in matches:
        place = (match.stream, match.ends, match.side)
        if match.path.endswith(("request-line.method", "status-code")):
            latest[place] = {"stream": match.stream, "via_count": 0}
            if match.stream is None:  # else it may be complete later
                latest[place]["frame"] = match.frame
            messages.append(latest[place])
        message = latest[place]
        if match.name == "uri":
            message["from" if ".From." in match.path else "to"] = match.text
        elif match.name == "header-value" and match.text.startswith("SIP"):
            message["via_count"] += 1
        elif match.name == "header-value":
            message["expires" if match.text.isdigit() else "content_type"] = match.text
        elif match.name != "method" or match.path.endswith("request-line.method"):
            message[KEYS[match.name]] = match.text
    return messages


def expected(entry):
    left_out = ["frame"] if "stream" in entry else []
    return {"stream": entry.get("stream"), **{key: value for key, value in entry.items() if key not in left_out}}


def side(entry):
    """Both sides send both."""
    return "request" if "method" in entry else "response"
