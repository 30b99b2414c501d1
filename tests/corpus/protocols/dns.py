"""dns.py: messages over UDP and TCP: header, questions, and of the records what tshark lists: types, addresses, names, texts."""

import codecs
import ipaddress
import itertools

# The truth's keys of what records hold, and our elements.
VALUES = {"A": "a", "AAAA": "aaaa", "NS": "ns", "CNAME": "cname", "PTR": "ptr", "exchange": "mx", "character-string": "txt"}
SECTIONS = ("answer", "authority", "additional")
COUNTS = ("question-count", "answer-count", "authority-count", "additional-count")
NAMES = ["dns.id", "dns.flags", "dns.question.name", "dns.question.type", "dns.udp-size"]
NAMES += [f"dns.{count}" for count in COUNTS]
NAMES += [f"dns.{section}.type" for section in SECTIONS]
NAMES += [f"dns.{element}" for element in (*VALUES, "type-bit-maps")]

# The truth has no more than so many characters of a text, and so many of a kind.
TEXT_LEN = 120
LIST_LEN = 40


def one_by_one(error):
    return "".join(map(chr, error.object[error.start : error.end])), error.end


codecs.register_error("one-by-one", one_by_one)


def printed(octets):
    """What `elements` prints: what happens to be UTF-8 as characters, and other bytes one by one."""
    return octets.decode("utf-8", errors="one-by-one")


def readings(match):
    """The bytes that may have been printed so."""
    ways = [{char.encode("latin-1") if ord(char) < 256 else char.encode(), char.encode()} for char in match.text]
    return [way for way in map(b"".join, itertools.product(*ways)) if len(way) == match.length and printed(way) == match.text]


def number(match):
    return int.from_bytes(readings(match)[0], "big")


def types_of(octets):
    """The types in a bit map (RFC 4034, 4.1.2), which tshark lists with the types of records; [] if it is none."""
    types = []
    while octets:
        if len(octets) < 3 or not 1 <= octets[1] <= 32 or len(octets) < 2 + octets[1] or octets[1 + octets[1]] == 0:
            return []
        bits = octets[2 : 2 + octets[1]]
        types += [octets[0] * 256 + n for n in range(len(bits) * 8) if bits[n // 8] & 0x80 >> n % 8]
        octets = octets[2 + len(bits) :]
    return types


def bit_map(match):
    return next(filter(None, map(types_of, readings(match))), [])


def begun(match):
    message = {"stream": match.stream, "id": f"0x{number(match):04x}", "qname": [], "qtype": [], "counts": [], "rr_types": [],
               "edns_udp_size": None}
    message.update((key, []) for key in VALUES.values())
    return message


def add_flags(message, flags):
    message["response"] = flags >= 0x8000
    message["opcode"] = str(flags >> 11 & 15)
    message["tc"] = str(flags >> 9 & 1)
    message["rcode"] = str(flags & 15) if message["response"] else None


def entries(matches):
    latest, messages = {}, []
    for match in matches:
        place = (match.ends, match.side)
        if match.name == "id":
            latest[place] = begun(match)
            messages.append(latest[place])
        message = latest[place]
        if match.name == "flags":
            add_flags(message, number(match))
        elif match.name in COUNTS:
            message["counts"].append(number(match))
        elif match.name == "name":
            message["qname"].append(match.text or "<Root>")
        elif match.name == "type":
            is_question = match.path.split(".")[-2] == "question"
            message["qtype" if is_question else "rr_types"].append(number(match))
        elif match.name == "udp-size":
            message["edns_udp_size"] = str(number(match))
        elif match.name == "type-bit-maps":
            message["rr_types"] += bit_map(match)
        elif match.name in VALUES:
            empty = "" if match.name == "character-string" else "<Root>"
            message[VALUES[match.name]].append((match.text or empty)[:TEXT_LEN])
    return [{key: some[:LIST_LEN] if isinstance(some, list) else some for key, some in one.items()} for one in messages]


def expected(entry):
    message = {key: entry.get(key, []) for key in ("qname", "counts", "rr_types", *VALUES.values())}
    message.update((key, entry.get(key)) for key in ("stream", "id", "response", "opcode", "tc", "rcode", "edns_udp_size"))
    message["a"], message["aaaa"] = ([printed(ipaddress.ip_address(one).packed) for one in message[key]] for key in ("a", "aaaa"))
    message["qtype"] = [int(one) for one in entry.get("qtype", [])]
    return message


def side(entry):
    return "server" if entry["response"] else "client"
