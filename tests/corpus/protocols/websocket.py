"""websocket.py: frames, by what their headers say. A client's are masked, which tells who sent one in the truth."""

NAMES = ["websocket.frame.header"]


def payload_bytes(header):
    size = header[1] & 0x7F
    return int.from_bytes(header[2:], "big") if size >= 126 else size


def entries(matches):
    return [{"stream": match.stream, "fin": str(match.bytes[0] >> 7), "opcode": str(match.bytes[0] & 0x0F),
             "masked": str(match.bytes[1] >> 7), "rsv": f"0x{match.bytes[0] >> 4 & 7:02x}",
             "payload_bytes": payload_bytes(match.bytes)} for match in matches]


def expected(entry):
    return {key: value for key, value in entry.items() if key != "frame"}


def side(entry):
    return "client" if entry["masked"] == "1" else "server"
