"""tls.py: the records and the messages of the handshake that are complete with a packet: the truth has entries for packets."""

# Our messages, and the truth's. Of SSL 2.0 it tells the numbers by the names that they have in TLS.
MESSAGES = {"client-hello": "ClientHello", "server-hello": "ServerHello", "certificates": "Certificate",
            "server-key-exchange": "ServerKeyExchange", "server-hello-done": "ServerHelloDone",
            "client-key-exchange": "ClientKeyExchange", "new-session-ticket": "NewSessionTicket",
            "certificate-request": "CertificateRequest", "certificate-verify": "CertificateVerify",
            "certificate-status": "CertificateStatus", "hello-request": "HelloRequest",
            "ssl2-client-hello": "ClientHello", "ssl2-server-hello": "NewSessionTicket", "ssl2-client-master-key": "ServerHello"}
# What is in them. The end of the record or message says which packet it belongs to.
PARTS = ["type", "version", "sni", "alpn", "cipher-suites", "cipher-suite", "supported-versions", "selected-version",
         "certificate", "cipher-specs", "cipher-kind", "level", "description"]
NAMES = [f"tls.{name}" for name in ["record", "ssl2-record", *MESSAGES, *PARTS]]

# Keys of the truth that a packet has but once.
ONCE = ("hello_version", "sni", "cipher", "cipher_suites_offered", "certificates", "ssl2_ciphers", "sslv2_record",
        "supported_versions", "alpn", "alert")


def hexes(data, width):
    return [f"0x{data[at : at + width].hex()}" for at in range(0, len(data), width)]


def details(parts, message):
    """What the truth tells of a message, by its parts: [name, bytes] each."""
    texts = {}
    for name, data in parts:
        texts.setdefault(name, []).append(data)
    found = {}
    if "version" in texts and message != "record":
        found["hello_version"] = hexes(texts["version"][0], 2)[0]
    if "selected-version" in texts or "supported-versions" in texts:
        found["supported_versions"] = hexes(texts.get("selected-version", texts.get("supported-versions"))[0], 2)
    if "cipher-suites" in texts:
        found["cipher_suites_offered"] = len(hexes(texts["cipher-suites"][0], 2))
    if "cipher-specs" in texts or "cipher-kind" in texts:
        found["ssl2_ciphers"] = len(hexes(texts.get("cipher-specs", texts.get("cipher-kind"))[0], 3))
    if "cipher-suite" in texts:
        found["cipher"] = hexes(texts["cipher-suite"][0], 2)[0]
    if "certificate" in texts:
        found["certificates"] = len(texts["certificate"])
    if "alpn" in texts:
        found["alpn"] = [name.decode() for name in texts["alpn"]]
    if "sni" in texts:
        found["sni"] = texts["sni"][0].decode()
    return found


def add_message(packet, name, parts):
    packet["handshake"].append(MESSAGES[name])
    packet.update(details(parts, name))


def add_ssl2(packet, name):
    if name.startswith("ssl2"):
        packet["record_versions"] = ["0x0002"]
        packet["sslv2_record"] = True


def add_record(packet, parts):
    texts = dict(parts)
    packet["types"] = sorted(packet["types"] + [str(ord(texts["type"]))])
    packet["record_versions"] = sorted({*packet["record_versions"], *hexes(texts["version"], 2)})
    if "level" in texts:
        packet["alert"] = [f"{ord(texts['level'])}/{ord(texts['description'])}"]


def empty(stream, frame):
    return {"stream": stream, "frame": frame, "handshake": [], "types": [], "record_versions": []}


def entries(matches):
    """Parts come before what they are in, messages before the record that completes them."""
    packets, parts, messages, latest = {}, {}, {}, {}
    for match in matches:
        place = (match.stream, match.side)
        if match.name in PARTS and len(match.path.split(".")) > 2:
            parts.setdefault((place, match.path.split(".")[1]), []).append((match.name, match.bytes))
            continue
        if match.kind not in ("element", "end"):
            continue
        found = parts.pop((place, match.name), [])
        if match.name in MESSAGES and not match.name.startswith("ssl2"):
            messages.setdefault(place, []).append((match.name, found))
            continue
        frame = latest[place] = max(match.frame, latest.get(place, 0))  # one that came too early waits for those before it
        packet = packets.setdefault((match.stream, frame), empty(match.stream, frame))
        if match.name == "record":
            add_record(packet, found)
            for name, inside in messages.pop(place, []):
                add_message(packet, name, inside)
        elif match.name in MESSAGES:
            add_message(packet, match.name, found)
        add_ssl2(packet, match.name)
    return [packets[key] for key in sorted(packets)]


def merged(theirs):
    """What the truth tells of a packet in several entries, and what it deciphered with a key log, which we have not."""
    packets = {}
    for entry in theirs:
        packet = packets.setdefault((entry["stream"], entry["frame"]), empty(entry["stream"], entry["frame"]))
        packet["handshake"] += [name for name in entry.get("handshake", []) if name != "Finished"]
        packet["types"] = sorted(packet["types"] + entry.get("content_types", []) + entry.get("opaque", []))
        packet["record_versions"] = sorted({*packet["record_versions"], *entry["record_versions"]})
        packet.update((key, entry[key]) for key in ONCE if key in entry)
    return [packets[key] for key in sorted(packets)]


def side(_):
    """The truth does not say who sent a packet."""
    return "both"
