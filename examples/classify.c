/* classify.c: how is a host using the network? Adds up, for each address, what its conversations are for.
 *
 * The purpose of a conversation follows from the protocol that was found in its bytes, and for the web from the kinds of content
 * that it carried. Where no protocol was found, the port of its server is a guess, and marked as one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table.h"

static const char help[] =
    "Usage: classify [OPTION...] TRACE [FILTER...]\n"
    "       classify [OPTION...] -i DEVICE [FILTER...]\n"
    "Prints, for each IP address, what it uses the network for, and what it serves to others: purposes, with how many\n"
    "conversations (of TCP; of datagrams: between two hosts, at one port) and how many bytes it sent and received in them,\n"
    "without headers. A purpose with a ? behind it is a guess by the port; encrypted ones are marked as such.\n"
    "Memory is bounded: of datagrams, 65536 conversations are known at a time; where there are more, those that were idle\n"
    "count, and what goes on of them counts as another one. 131072 lines are told apart; what is beyond them is added up\n"
    "in lines for all other addresses (others, or in JSON null).\n"
    "\n"
    "  --conversations    a line for each conversation instead\n"
    "  --json             each line an object: address, role (uses or serves), purpose, guess, encrypted, conversations,\n"
    "                     sent, received; of a conversation: transport, client, server, protocol, purpose, guess,\n"
    "                     encrypted, client_bytes, server_bytes\n";

static const char examples[] = "  classify trace.pcap host 10.0.0.7\n"
                               "  classify --conversations --json trace.pcap\n";

#define EXCHANGES_MAX 65536u /* as the help says */
#define USES_MAX 131072u

/* ---------------------------------------------------------------- purposes */

/* What a protocol is for. */
static const struct {
    const char *protocol, *purpose;
} purposes[] = {
    {"http", "web"},           {"websocket", "web"},     {"smtp", "mail"},        {"pop3", "mail"},
    {"imap", "mail"},          {"ftp", "file transfer"}, {"ftp-data", "file transfer"}, {"dns", "name lookup"},
    {"ssh", "remote login"},   {"irc", "chat"},          {"sip", "telephony"},    {"rtsp", "streaming"},
    {"redis", "database"},     {"memcached", "database"},
};

/* What is usual at a port. RFC 6335: IANA's registry. */
static const struct {
    uint16_t port;
    const char *purpose;
} ports[] = {
    {20, "file transfer"},     {21, "file transfer"},    {22, "remote login"},    {23, "remote login"},
    {25, "mail"},              {53, "name lookup"},      {67, "configuration"},   {68, "configuration"},
    {69, "file transfer"},     {80, "web"},              {88, "authentication"},  {110, "mail"},
    {111, "file sharing"},     {119, "news"},            {123, "time"},           {137, "name lookup"},
    {138, "file sharing"},     {139, "file sharing"},    {143, "mail"},           {161, "management"},
    {162, "management"},       {389, "directory"},       {443, "web"},            {445, "file sharing"},
    {465, "mail"},             {514, "management"},      {546, "configuration"},  {547, "configuration"},
    {554, "streaming"},        {563, "news"},            {587, "mail"},           {636, "directory"},
    {853, "name lookup"},      {873, "file transfer"},   {990, "file transfer"},  {993, "mail"},
    {995, "mail"},             {1194, "private network"}, {1433, "database"},     {1521, "database"},
    {1723, "private network"}, {1900, "discovery"},      {2049, "file sharing"},  {3128, "web"},
    {3306, "database"},        {3389, "remote login"},   {3478, "telephony"},     {4500, "private network"},
    {500, "private network"},  {5060, "telephony"},      {5061, "telephony"},     {5222, "chat"},
    {5353, "discovery"},       {5355, "name lookup"},    {5432, "database"},      {5900, "remote login"},
    {6379, "database"},        {6667, "chat"},           {6697, "chat"},          {8080, "web"},
    {8443, "web"},             {11211, "database"},      {51820, "private network"},
};

/* What TLS is to carry: ALPN. IANA's registry of protocol identifiers (RFC 7301, 6). */
static const struct {
    const char *identifier, *purpose;
} identifiers[] = {
    {"http/1.0", "web"}, {"http/1.1", "web"}, {"h2", "web"},          {"h3", "web"},         {"ftp", "file transfer"},
    {"imap", "mail"},    {"pop3", "mail"},    {"dot", "name lookup"}, {"irc", "chat"},       {"xmpp-client", "chat"},
    {"sip/2", "telephony"}, {"smb", "file sharing"}, {"ntske/1", "time"}, {"mqtt", "messaging"},
};

/* What content is more than a page: types begin with these. */
static const struct {
    const char *type, *purpose;
} contents[] = {
    {"video/", "streaming"},
    {"audio/", "streaming"},
    {"application/vnd.apple.mpegurl", "streaming"},
    {"application/dash+xml", "streaming"},
    {"application/octet-stream", "file transfer"},
    {"application/zip", "file transfer"},
    {"application/gzip", "file transfer"},
    {"application/x-tar", "file transfer"},
    {"application/x-xz", "file transfer"},
    {"application/x-iso9660-image", "file transfer"},
    {"application/vnd.debian.binary-package", "file transfer"},
    {"application/x-debian-package", "file transfer"},
    {"application/x-msdownload", "file transfer"},
    {"application/dns-message", "name lookup"},
    {"application/ocsp-response", "authentication"},
};

#define CONTENTS (sizeof contents / sizeof *contents)

static const char *by_protocol(const qcap_protocol_t *protocol)
{
    for (size_t i = 0; protocol && i < sizeof purposes / sizeof *purposes; i++)
        if (strcmp(purposes[i].protocol, protocol->name) == 0)
            return purposes[i].purpose;
    return NULL;
}

static const char *by_port(uint16_t port)
{
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i].port == port)
            return ports[i].purpose;
    return NULL;
}

/* ---------------------------------------------------------------- conversations */

typedef struct conversation {
    qcap_endpoint_t ends[2]; /* client, server */
    bool is_tcp;
    uint64_t number;
    const qcap_protocol_t *protocol; /* the first one that was found; NULL: none */
    bool is_encrypted;               /* it became TLS or SSH, or looks like noise */
    const char *agreed;              /* what TLS is to carry; NULL: nothing was said */
    uint64_t bytes[2];               /* said by the client, by the server */
    size_t content;                  /* what comes now from the server: index in contents; CONTENTS: a page */
    uint64_t content_bytes[CONTENTS + 1]; /* of the web, by kind */
} conversation_t;

/* Datagrams between a host and a port of another one, whatever port the first one uses. */
typedef struct exchange {
    qcap_endpoint_t ends[2]; /* the key: client, without its port, and server */
    bool is_recent;          /* heard of since some were forgotten last */
    conversation_t conversation;
} exchange_t;

/* What one host does. */
typedef struct use {
    struct {
        uint8_t version, address[16]; /* version 0: all others */
        bool is_server;    /* it serves others */
        bool is_encrypted;
        bool is_guess;
        const char *purpose; /* static: one pointer for each text */
    } key;
    uint64_t conversations, sent, received;
} use_t;

typedef struct run {
    const program_t *program;
    bool is_by_conversation, is_json;
    table_t exchanges;
    table_t uses;
} run_t;

typedef struct answer {
    const char *purpose;
    bool is_encrypted, is_guess;
} answer_t;

/* Protocols that encrypt what they carry. */
static bool is_secure(const qcap_protocol_t *protocol)
{
    return protocol && (strcmp(protocol->name, "tls") == 0 || strcmp(protocol->name, "ssh") == 0);
}

/* The kind of content that was most of what the server said; `otherwise` if that was pages. */
static const char *by_content(const conversation_t *conversation, const char *otherwise)
{
    size_t most = CONTENTS;
    for (size_t i = 0; i < CONTENTS; i++)
        if (conversation->content_bytes[i] > conversation->content_bytes[most])
            most = i;
    return most == CONTENTS ? otherwise : contents[most].purpose;
}

static answer_t classify(const conversation_t *conversation)
{
    const char *purpose = by_protocol(conversation->protocol), *guess = by_port(conversation->ends[1].port);
    if (conversation->is_encrypted && conversation->agreed)
        return (answer_t){conversation->agreed, true, false};
    if (purpose && strcmp(purpose, "web") == 0)
        purpose = by_content(conversation, purpose);
    if (purpose)
        return (answer_t){purpose, conversation->is_encrypted, false};
    return (answer_t){guess ? guess : "unknown", conversation->is_encrypted, guess != NULL};
}

/* ---------------------------------------------------------------- printing */

static void print_answer(const answer_t *answer)
{
    printf("%s%s%s", answer->purpose, answer->is_guess ? "?" : "", answer->is_encrypted ? " (encrypted)" : "");
}

static void print_answer_json(const answer_t *answer)
{
    printf("\"purpose\":\"%s\",\"guess\":%s,\"encrypted\":%s", answer->purpose, answer->is_guess ? "true" : "false",
           answer->is_encrypted ? "true" : "false");
}

static void print_conversation(const run_t *run, const conversation_t *conversation, const answer_t *answer)
{
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE];
    const char *transport = conversation->is_tcp ? "tcp" : "udp";
    const char *protocol = conversation->protocol ? conversation->protocol->name : "-";
    if (conversation->is_tcp)
        qcap_endpoint_print(&conversation->ends[0], client, sizeof client);
    else
        qcap_address_print(&conversation->ends[0], client, sizeof client);
    qcap_endpoint_print(&conversation->ends[1], server, sizeof server);
    if (run->is_json) {
        printf("{\"transport\":\"%s\",\"client\":\"%s\",\"server\":\"%s\",\"protocol\":", transport, client, server);
        printf(conversation->protocol ? "\"%s\"," : "null,", protocol);
        print_answer_json(answer);
        printf(",\"client_bytes\":%" PRIu64 ",\"server_bytes\":%" PRIu64 "}\n", conversation->bytes[0], conversation->bytes[1]);
        return;
    }
    printf("%s  %-21s  %-21s  %-9s  %12" PRIu64 "  %12" PRIu64 "  ", transport, client, server, protocol,
           conversation->bytes[0], conversation->bytes[1]);
    print_answer(answer);
    putchar('\n');
}

static qcap_endpoint_t address_of(const use_t *use)
{
    qcap_endpoint_t address = {.version = use->key.version};
    memcpy(address.address, use->key.address, sizeof address.address);
    return address;
}

static void print_use(const run_t *run, const use_t *use)
{
    const answer_t answer = {use->key.purpose, use->key.is_encrypted, use->key.is_guess};
    const qcap_endpoint_t endpoint = address_of(use);
    char address[QCAP_ENDPOINT_SIZE];
    bool is_others = endpoint.version == 0;
    if (is_others)
        snprintf(address, sizeof address, "others");
    else
        qcap_address_print(&endpoint, address, sizeof address);
    if (run->is_json) {
        const char *quote = is_others ? "" : "\"";
        printf("{\"address\":%s%s%s,\"role\":\"%s\",", quote, is_others ? "null" : address, quote,
               use->key.is_server ? "serves" : "uses");
        print_answer_json(&answer);
        printf(",\"conversations\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"received\":%" PRIu64 "}\n", use->conversations,
               use->sent, use->received);
        return;
    }
    printf("%-15s  %-6s  %8" PRIu64 "  %12" PRIu64 "  %12" PRIu64 "  ", address, use->key.is_server ? "serves" : "uses",
           use->conversations, use->sent, use->received);
    print_answer(&answer);
    putchar('\n');
}

/* By address, role, and how much it was. */
static int compare_uses(const void *left, const void *right)
{
    const use_t *a = left, *b = right;
    if (a->key.version != b->key.version)
        return a->key.version < b->key.version ? -1 : 1;
    int order = memcmp(a->key.address, b->key.address, sizeof a->key.address);
    if (order == 0)
        order = a->key.is_server - b->key.is_server;
    uint64_t volumes[2] = {a->sent + a->received, b->sent + b->received};
    if (order == 0 && volumes[0] != volumes[1])
        return volumes[0] > volumes[1] ? -1 : 1;
    return order ? order : strcmp(a->key.purpose, b->key.purpose);
}

static void print_uses(run_t *run)
{
    table_sort(&run->uses, compare_uses);
    if (run->uses.count > 0 && !run->is_json)
        printf("%-15s  %-6s  %8s  %12s  %12s  %s\n", "ADDRESS", "ROLE", "CONVERS.", "SENT", "RECEIVED", "PURPOSE");
    for (size_t i = 0; i < run->uses.count; i++)
        print_use(run, table_at(&run->uses, i));
}

/* ---------------------------------------------------------------- adding up */

static void add_use(run_t *run, const conversation_t *conversation, const answer_t *answer, bool is_server)
{
    use_t use;
    memset(&use, 0, sizeof use); /* the gaps, too: it is a key */
    use.key.version = conversation->ends[is_server].version;
    memcpy(use.key.address, conversation->ends[is_server].address, sizeof use.key.address);
    use.key.is_server = is_server;
    use.key.is_encrypted = answer->is_encrypted;
    use.key.is_guess = answer->is_guess;
    use.key.purpose = answer->purpose;
    if (run->uses.count >= USES_MAX && !table_find(&run->uses, &use.key)) {
        use.key.version = 0;
        memset(use.key.address, 0, sizeof use.key.address);
    }
    use_t *place = table_get(&run->uses, &use.key);
    place->conversations++;
    place->sent += conversation->bytes[is_server];
    place->received += conversation->bytes[!is_server];
}

/* One that nobody said anything in has no purpose. */
static void finish(run_t *run, const conversation_t *conversation)
{
    if (conversation->bytes[0] + conversation->bytes[1] == 0)
        return;
    const answer_t answer = classify(conversation);
    if (run->is_by_conversation) {
        print_conversation(run, conversation, &answer);
        return;
    }
    add_use(run, conversation, &answer, false);
    add_use(run, conversation, &answer, true);
}

/* ---------------------------------------------------------------- handlers: streams */

static void on_open(qcap_tcpstr_t *client, void *user)
{
    run_t *run = user;
    conversation_t *conversation = program_resize(run->program, NULL, sizeof *conversation);
    *conversation = (conversation_t){
        .ends = {*qcap_tcpstr_source(client), *qcap_tcpstr_destination(client)}, .is_tcp = true, .content = CONTENTS};
    conversation_set(client, conversation);
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    (void)offset, (void)bytes, (void)packet, (void)user;
    conversation_t *conversation = conversation_of(str);
    conversation->bytes[qcap_tcpstr_is_server(str)] += len;
}

/* The roles were a guess, of a conversation that was met in the middle. */
static void set_roles(conversation_t *conversation, const qcap_endpoint_t ends[2])
{
    const uint64_t sent = conversation->bytes[0];
    if (conversation->ends[0].port == ends[0].port &&
        memcmp(conversation->ends[0].address, ends[0].address, sizeof ends[0].address) == 0)
        return;
    conversation->ends[0] = ends[0];
    conversation->ends[1] = ends[1];
    conversation->bytes[0] = conversation->bytes[1];
    conversation->bytes[1] = sent;
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    conversation_t *conversation = conversation_of(client);
    finish(user, conversation);
    free(conversation);
    conversation_set(client, NULL);
}

/* ---------------------------------------------------------------- handlers: datagrams */

static void make_key(qcap_endpoint_t key[2], const qcap_endpoint_t *client, const qcap_endpoint_t *server)
{
    memset(key, 0, 2 * sizeof *key); /* the gaps, too */
    key[0].version = client->version;
    memcpy(key[0].address, client->address, sizeof client->address);
    key[1].version = server->version;
    memcpy(key[1].address, server->address, sizeof server->address);
    key[1].port = server->port;
}

/* Makes room: half of the exchanges stay at most, of those that were heard of since this was done last. */
static void forget_exchanges(run_t *run)
{
    table_t all = run->exchanges;
    run->exchanges = (table_t){.program = all.program, .entry_size = all.entry_size, .key_size = all.key_size};
    for (size_t i = 0; i < all.count; i++) {
        const exchange_t *old = table_at(&all, i);
        if (!old->is_recent || run->exchanges.count >= EXCHANGES_MAX / 2) {
            finish(run, &old->conversation);
            continue;
        }
        exchange_t *kept = table_get(&run->exchanges, old->ends);
        *kept = *old;
        kept->is_recent = false;
    }
    table_free(&all);
}

/* The exchange of a datagram from ends[0]. The server is who has a port that means something, of two such ports the lower one;
 * or else who was spoken to first. */
static exchange_t *of_datagram(run_t *run, const qcap_endpoint_t ends[2], bool *is_server)
{
    qcap_endpoint_t key[2];
    bool has_meaning[2] = {by_port(ends[0].port), by_port(ends[1].port)};
    make_key(key, &ends[1], &ends[0]);
    if (has_meaning[0] != has_meaning[1])
        *is_server = has_meaning[0];
    else if (has_meaning[0] && ends[0].port != ends[1].port)
        *is_server = ends[0].port < ends[1].port;
    else
        *is_server = table_find(&run->exchanges, key) != NULL;
    if (!*is_server)
        make_key(key, &ends[0], &ends[1]);
    if (run->exchanges.count >= EXCHANGES_MAX && !table_find(&run->exchanges, key))
        forget_exchanges(run);
    exchange_t *exchange = table_get(&run->exchanges, key);
    exchange->is_recent = true;
    if (exchange->conversation.bytes[0] + exchange->conversation.bytes[1] == 0)
        memcpy(exchange->conversation.ends, key, sizeof key);
    return exchange;
}

static void on_datagram(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_endpoint_t ends[2];
    bool is_server;
    size_t len = 0;
    (void)stage;
    qcap_packet_source(packet, &ends[0]);
    qcap_packet_destination(packet, &ends[1]);
    exchange_t *exchange = of_datagram(user, ends, &is_server);
    qcap_packet_payload(packet, &len);
    exchange->conversation.bytes[is_server] += len;
}

/* ---------------------------------------------------------------- handlers: protocols */

static void on_spoken(const qcap_spoken_t *spoken, void *user)
{
    bool is_server;
    conversation_t *conversation =
        spoken->client ? conversation_of(spoken->client) : &of_datagram(user, spoken->ends, &is_server)->conversation;
    if (!conversation)
        return;
    if (spoken->client)
        set_roles(conversation, spoken->ends);
    if (!conversation->protocol)
        conversation->protocol = spoken->protocol;
    conversation->is_encrypted |= spoken->is_encrypted || is_secure(spoken->protocol);
}

/* Whether the text is this one, or for a type, begins with it; in any case. */
static bool is_text(const qcap_match_t *match, const char *text, bool is_begin)
{
    size_t len = strlen(text);
    return match->bytes && (is_begin ? match->len >= len : match->len == len) &&
           strncasecmp((const char *)match->bytes, text, len) == 0;
}

/* The server chooses one; what the client offers is overwritten by it. */
static void on_alpn(const qcap_match_t *match, void *user)
{
    (void)user;
    conversation_t *conversation = conversation_of(match->str);
    for (size_t i = 0; conversation && i < sizeof identifiers / sizeof *identifiers; i++)
        if (is_text(match, identifiers[i].identifier, false) && (match->is_server || !conversation->agreed))
            conversation->agreed = identifiers[i].purpose;
}

static void on_status(const qcap_match_t *match, void *user)
{
    (void)user;
    conversation_t *conversation = conversation_of(match->str);
    if (conversation)
        conversation->content = CONTENTS;
}

static void on_type(const qcap_match_t *match, void *user)
{
    (void)user;
    conversation_t *conversation = match->is_server ? conversation_of(match->str) : NULL;
    for (size_t i = 0; conversation && i < CONTENTS; i++)
        if (is_text(match, contents[i].type, true))
            conversation->content = i;
}

static void on_content(const qcap_match_t *match, void *user)
{
    (void)user;
    conversation_t *conversation = match->is_server ? conversation_of(match->str) : NULL;
    if (conversation && (match->kind == QCAP_EVENT_PIECE || match->kind == QCAP_EVENT_GAP))
        conversation->content_bytes[conversation->content] += match->end_offset - match->begin_offset;
}

int main(int argc, char **argv)
{
    const char *conversations = NULL, *json = NULL;
    const program_option_t options[] = {{"conversations", false, &conversations}, {"json", false, &json}, {NULL, false, NULL}};
    program_t program = {.name = "classify", .help = help, .examples = examples, .options = options};
    const qcap_tap_t tap = {.on_open = on_open, .on_data = on_data, .on_close = on_close};
    qcap_t *q = program_start(&program, argc, argv);
    run_t run = {.program = &program,
                 .is_by_conversation = conversations,
                 .is_json = json,
                 .exchanges = {.program = &program, .entry_size = sizeof(exchange_t), .key_size = sizeof(qcap_endpoint_t[2])},
                 .uses = {.program = &program, .entry_size = sizeof(use_t), .key_size = sizeof(((use_t *)0)->key)}};
    if (qcap_protocols_builtin(q) < 0 || qcap_tap_add(q, &tap, &run) < 0 || qcap_spoken_handler_add(q, on_spoken, &run) < 0 ||
        qcap_packet_handler_add(q, QCAP_STAGE_UDP_DELIVERED, on_datagram, &run) < 0 ||
        qcap_tcpstr_handler_add(q, "http.status-code", on_status, &run) < 0 ||
        qcap_tcpstr_handler_add(q, "http.Content-Type", on_type, &run) < 0 ||
        qcap_stream_handler_add(q, "http.content", on_content, &run) < 0 ||
        qcap_tcpstr_handler_add(q, "tls.alpn", on_alpn, &run) < 0)
        program_fail(&program, q);
    if (run.is_by_conversation && !run.is_json)
        printf("%s  %-21s  %-21s  %-9s  %12s  %12s  %s\n", "   ", "CLIENT", "SERVER", "PROTOCOL", "SENT", "RECEIVED", "PURPOSE");
    int status = program_run(&program, q);
    for (size_t i = 0; i < run.exchanges.count; i++)
        finish(&run, &((exchange_t *)table_at(&run.exchanges, i))->conversation);
    if (!run.is_by_conversation)
        print_uses(&run);
    table_free(&run.exchanges);
    table_free(&run.uses);
    qcap_close(q);
    return status;
}
