"""http.py: requests and responses, with their content after undoing its gzip coding."""

import hashlib
import zlib

# The truth's keys, and our elements.
TEXTS = {"method": "method", "uri": "request-target", "version": "HTTP-version", "status": "status-code",
         "phrase": "reason-phrase", "content_length": "Content-Length", "transfer_encoding": "Transfer-Encoding"}
KEYS = {element: key for key, element in TEXTS.items()}
NAMES = [f"http.{element}" for element in TEXTS.values()]
NAMES += ["http.content", "http.chunk-size", "http.field-value[Content-Encoding]"]

# The truth has no more than so many characters of a text.
TEXT_LEN = 400


def decoded(content, coding):
    """As it is where it is not encoded, or damaged, or cut short."""
    if coding.lower() not in ("gzip", "x-gzip"):
        return content
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content)
    except zlib.error:
        return content


def finished(message):
    content = decoded(message.pop("content"), message.pop("coding"))
    message["decoded_body_bytes"] = len(content)
    message["decoded_body_sha256"] = hashlib.sha256(content).hexdigest()
    return message


def entries(matches):
    latest, messages = {}, []
    for match in matches:
        place = (match.stream, match.side)
        if match.name == ("method" if match.side == "client" else "HTTP-version") and match.kind == "element":
            kind = "request" if match.side == "client" else "response"
            latest[place] = {"kind": kind, "stream": match.stream, "content": b"", "coding": "", "chunks": []}
            latest[place].update((key, "") for key in TEXTS)
            messages.append(latest[place])
        if place not in latest:  # a response of HTTP/0.9 is content alone, of which the truth has nothing
            continue
        message = latest[place]
        if match.name == "content":
            message["content"] += match.bytes if match.kind == "piece" else b""
        elif match.name == "chunk-size":
            message["chunks"].append(int(match.text, 16))
        elif match.name == "field-value":
            message["coding"] = match.text
        else:
            message[KEYS[match.name]] = match.text[:TEXT_LEN]
    return [finished(message) for message in messages]


def expected(entry):
    message = {key: str(entry.get(key, "")).strip() for key in TEXTS}
    message["stream"], message["kind"] = entry["stream"], entry["kind"]
    message["chunks"] = entry.get("chunks", [])
    message["decoded_body_bytes"] = entry.get("decoded_body_bytes", 0)
    message["decoded_body_sha256"] = entry.get("decoded_body_sha256", hashlib.sha256(b"").hexdigest())
    return message


def side(entry):
    return "client" if entry["kind"] == "request" else "server"
