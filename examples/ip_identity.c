/* ip_identity.c: who logged in where? Prints, for each IP address, the credentials it sent.
 *
 * A credential that is sent again is counted, not repeated. Text of the network is printed so that it can do no harm
 * to a terminal: control characters, and bytes that are not UTF-8, stand as \xNN. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "table.h"

static const char help[] =
    "Usage: ip_identity [OPTION...] TRACE [FILTER...]\n"
    "       ip_identity [OPTION...] -i DEVICE [FILTER...]\n"
    "Prints, for each IP address, the credentials it sent: where to, when first (UTC), and how often. A credential is\n"
    "a user, or user:password where both were sent (or user:token). The scheme says how: of HTTP and RTSP, Basic and\n"
    "Digest (Basic?: it is not base64, and shown as it is), form, or URI; of mail and IRC, the mechanism, or the\n"
    "sender's address (sender); of SIP, Digest, or who a request is from (From); else the command.\n"
    "\n"
    "  --json             each line an object: address, protocol, server, first (in seconds since 1970), count, scheme,\n"
    "                     credential\n";

static const char examples[] = "  ip_identity trace.pcap\n"
                               "  ip_identity --json -i eth0 net 10.0.0.0/8\n";

/* One credential of one address at one server. */
typedef struct login {
    qcap_endpoint_t client; /* its port does not count */
    qcap_endpoint_t server;
    const char *protocol;   /* static */
    char scheme[24];        /* cut where it is longer */
    unsigned char *text;    /* the credential, as it is */
    size_t len;             /* of text */
    int64_t first_ns;       /* when it was first sent */
    uint64_t count;         /* how often */
} login_t;

/* A place of the hash table. */
typedef struct place {
    uint32_t hash;
    uint32_t index; /* of a login, from 1; 0: free */
} place_t;

/* All of them. */
typedef struct logins {
    const program_t *program;
    login_t *all;      /* in the order in which they were met */
    size_t count;      /* at most half of place_count */
    place_t *places;   /* a hash table with open addressing, */
    size_t place_count; /* of a power of 2; 0: none yet */
    uint64_t request;  /* number of the last datagram that is a request */
} logins_t;

/* ---------------------------------------------------------------- collecting */

static uint64_t hash_login(const login_t *login)
{
    uint64_t hash = table_hash(table_seed(), login->client.address, sizeof login->client.address);
    hash = table_hash(hash, login->server.address, sizeof login->server.address);
    hash = table_hash(hash, &login->server.port, sizeof login->server.port);
    return table_hash(hash, login->text, login->len);
}

static int compare_addresses(const qcap_endpoint_t *a, const qcap_endpoint_t *b)
{
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    return memcmp(a->address, b->address, sizeof a->address);
}

/* By address, protocol, server, credential: the order of the output. */
static int compare(const void *left, const void *right)
{
    const login_t *a = left, *b = right;
    int order = compare_addresses(&a->client, &b->client);
    if (order == 0)
        order = strcmp(a->protocol, b->protocol);
    if (order == 0)
        order = compare_addresses(&a->server, &b->server);
    if (order == 0 && a->server.port != b->server.port)
        order = a->server.port < b->server.port ? -1 : 1;
    if (order == 0)
        order = strcmp(a->scheme, b->scheme);
    if (order == 0)
        order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    if (order == 0 && a->len != b->len)
        order = a->len < b->len ? -1 : 1;
    return order;
}

/* The place of a login in the table: its own, or a free one. */
static place_t *find_place(const logins_t *logins, const login_t *login, uint32_t hash)
{
    size_t at = hash & (logins->place_count - 1);
    const place_t *place;
    while ((place = &logins->places[at])->index > 0 &&
           (place->hash != hash || compare(&logins->all[place->index - 1], login) != 0))
        at = (at + 1) & (logins->place_count - 1);
    return &logins->places[at];
}

/* Room for one more. */
static void grow(logins_t *logins)
{
    place_t *old = logins->places;
    size_t old_count = logins->place_count, count = old_count ? old_count * 2 : 64;
    if (logins->count * 2 < old_count)
        return;
    logins->all = program_resize(logins->program, logins->all, count / 2 * sizeof *logins->all);
    logins->places = program_resize(logins->program, NULL, count * sizeof *logins->places);
    memset(logins->places, 0, count * sizeof *logins->places);
    logins->place_count = count;
    for (size_t i = 0; i < old_count; i++) {
        size_t at = old[i].hash & (count - 1);
        while (old[i].index > 0 && logins->places[at].index > 0)
            at = (at + 1) & (count - 1);
        if (old[i].index > 0)
            logins->places[at] = old[i];
    }
    free(old);
}

/* Who sent it where, and when. */
typedef struct origin {
    qcap_endpoint_t client, server;
    const char *protocol;
    int64_t time_ns;
} origin_t;

/* What is carried in another protocol was sent by that one. */
static origin_t origin_of(const qcap_match_t *match)
{
    const qcap_protocol_t *carrier = match->depth > 0 && match->str ? qcap_tcpstr_protocol(match->str) : NULL;
    origin_t origin = {.protocol = (carrier ? carrier : match->protocol)->name, .time_ns = match->time_ns};
    if (match->str) {
        origin.client = *qcap_tcpstr_source(match->str);
        origin.server = *qcap_tcpstr_destination(match->str);
    } else {
        qcap_packet_source(match->packet, &origin.client);
        qcap_packet_destination(match->packet, &origin.server);
    }
    return origin;
}

/* Notes that a credential was sent. Takes over `text`. */
static void add_login(logins_t *logins, const origin_t *origin, const char *scheme, unsigned char *text, size_t len)
{
    login_t login = {
        .client = origin->client,
        .server = origin->server,
        .protocol = origin->protocol,
        .text = text,
        .len = len,
        .first_ns = origin->time_ns,
        .count = 1,
    };
    snprintf(login.scheme, sizeof login.scheme, "%s", scheme);
    grow(logins);
    uint32_t hash = (uint32_t)hash_login(&login);
    place_t *place = find_place(logins, &login, hash);
    if (place->index == 0) {
        logins->all[logins->count++] = login;
        *place = (place_t){hash, (uint32_t)logins->count};
        return;
    }
    login_t *known = &logins->all[place->index - 1];
    known->count++;
    if (login.first_ns < known->first_ns)
        known->first_ns = login.first_ns;
    free(text);
}

/* ---------------------------------------------------------------- credentials */

static int base64_value(unsigned char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* RFC 4648, 4; the padding may be missing. Returns the bytes written to `to`, or SIZE_MAX if it is not base64. */
static size_t decode_base64(const unsigned char *text, size_t len, unsigned char *to)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t written = 0;
    while (len > 0 && text[len - 1] == '=')
        len--;
    if (len % 4 == 1)
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            to[written++] = (unsigned char)(bits >> bit_count);
        }
    }
    return written;
}

/* RFC 7617, 2: user:password in base64. What is not base64 is printed as it is. */
static void on_basic(const qcap_match_t *match, void *user)
{
    logins_t *logins = user;
    const origin_t origin = origin_of(match);
    if (!match->bytes)
        return;
    unsigned char *text = program_resize(logins->program, NULL, match->len + 1);
    size_t len = decode_base64(match->bytes, match->len, text);
    if (len == SIZE_MAX) {
        memcpy(text, match->bytes, match->len);
        add_login(logins, &origin, "Basic?", text, match->len);
    } else {
        add_login(logins, &origin, "Basic", text, len);
    }
}

/* RFC 7616, 3.4: a quoted-string, whose backslashes quote (RFC 9110, 5.6.4). */
static void on_digest(const qcap_match_t *match, void *user)
{
    logins_t *logins = user;
    const origin_t origin = origin_of(match);
    if (!match->bytes)
        return;
    const unsigned char *at = match->bytes, *end = at + match->len;
    unsigned char *text = program_resize(logins->program, NULL, match->len + 1);
    size_t len = 0;
    while (at < end) {
        if (*at == '\\' && end - at > 1)
            at++;
        text[len++] = *at++;
    }
    add_login(logins, &origin, "Digest", text, len);
}

/* ---------------------------------------------------------------- logins in several steps */

#define FIELD_MAX 256 /* bytes of the name or the value of a form's field that are looked at */

/* What one conversation has said of a login that is not complete. */
typedef struct session {
    char scheme[24];       /* the last mechanism; "": none was named */
    unsigned char *user;   /* the user without a password; NULL: none */
    size_t user_len;
    origin_t origin;       /* of that user */
    const char *user_scheme; /* static, or `scheme` */
    unsigned char *early;  /* of a form, the password whose user may follow, a colon before it; NULL: none */
    size_t early_len;
    origin_t early_origin;
    char field[FIELD_MAX];   /* of a form, whose value comes next */
    unsigned char value[FIELD_MAX]; /* what has come of it, in pieces, */
    size_t value_len;               /* and how much; more than there is room for: it is too long to look at */
    bool is_request[2];      /* the message at hand is, of the client and the server */
} session_t;

static session_t *session_of(const logins_t *logins, const qcap_match_t *match)
{
    return conversation_get(logins->program, match->str, sizeof(session_t));
}

/* What there is of a login is all. */
static void flush(logins_t *logins, session_t *session)
{
    if (session->user)
        add_login(logins, &session->origin, session->user_scheme, session->user, session->user_len);
    session->user = NULL;
}

static void flush_early(logins_t *logins, session_t *session)
{
    if (session->early)
        add_login(logins, &session->early_origin, "form", session->early, session->early_len);
    session->early = NULL;
}

/* What was sent, by whom. */
typedef struct said {
    const unsigned char *bytes;
    size_t len;
    origin_t origin;
} said_t;

/* A user: the password may follow. */
static void add_user(logins_t *logins, session_t *session, const said_t *said, const char *scheme)
{
    flush(logins, session);
    session->user = program_resize(logins->program, NULL, said->len + 1);
    memcpy(session->user, said->bytes, said->len);
    session->user_len = said->len;
    session->user_scheme = *session->scheme ? session->scheme : scheme;
    session->origin = said->origin;
}

static void add_password(logins_t *logins, session_t *session, const said_t *said, const char *scheme)
{
    size_t user_len = session->user ? session->user_len : 0;
    unsigned char *text = program_resize(logins->program, session->user, user_len + 1 + said->len);
    text[user_len] = ':';
    memcpy(text + user_len + 1, said->bytes, said->len);
    session->user = NULL;
    add_login(logins, &said->origin, *session->scheme ? session->scheme : scheme, text, user_len + 1 + said->len);
}

/* ---------------------------------------------------------------- forms */

/* URL Standard (WHATWG), 5.1: "+" is a blank, %XX a byte. Returns how many bytes are left. */
static size_t decode_field(unsigned char *text, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++) {
        bool is_escape = text[at] == '%' && len - at > 2 && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
        text[to++] = text[at] == '+' ? ' ' : is_escape ? (unsigned char)(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2])) : text[at];
        at += is_escape ? 2 : 0;
    }
    return to;
}

/* What a field is for, nobody says but its name; words are in small letters. */
static bool has_word(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (const char *at = name; *at; at++)
            if ((*at | 0x20) == *words[i] && strncasecmp(at, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

/* The element's text, decoded, in `text`; false if it is too long to look at. */
static bool take_field(const qcap_match_t *match, unsigned char text[FIELD_MAX], size_t *len)
{
    if (!match->str || match->is_server || !match->bytes || match->len >= FIELD_MAX)
        return false;
    memcpy(text, match->bytes, match->len);
    *len = decode_field(text, match->len);
    return true;
}

/* The user may stand behind it. */
static void keep_early(logins_t *logins, session_t *session, const said_t *said)
{
    flush_early(logins, session);
    session->early = program_resize(logins->program, NULL, said->len + 1);
    session->early[0] = ':';
    memcpy(session->early + 1, said->bytes, said->len);
    session->early_len = said->len + 1;
    session->early_origin = said->origin;
}

/* The user of a password that stood before it. */
static void add_late_user(logins_t *logins, session_t *session, const said_t *said)
{
    unsigned char *text = program_resize(logins->program, session->early, said->len + session->early_len);
    memmove(text + said->len, text, session->early_len);
    memcpy(text, said->bytes, said->len);
    session->early = NULL;
    add_login(logins, &session->early_origin, "form", text, said->len + session->early_len);
}

/* The field that was named has this value. */
static void add_field(logins_t *logins, session_t *session, const said_t *said)
{
    static const char *const users[] = {"user", "login", "mail", "account", "uname"};
    static const char *const passwords[] = {"pass", "pwd"};
    bool is_password = has_word(session->field, passwords, sizeof passwords / sizeof *passwords);
    bool is_user = !is_password && has_word(session->field, users, sizeof users / sizeof *users);
    if (is_password && session->user)
        add_password(logins, session, said, "form");
    else if (is_password)
        keep_early(logins, session, said);
    else if (is_user && session->early)
        add_late_user(logins, session, said);
    else if (is_user)
        add_user(logins, session, said, "form");
}

static void on_form_name(const qcap_match_t *match, void *user)
{
    unsigned char text[FIELD_MAX];
    size_t len = 0;
    if (!match->str)
        return;
    session_t *session = session_of(user, match);
    if (match->own_begin == 0) /* another form */
        flush_early(user, session);
    take_field(match, text, &len);
    memcpy(session->field, text, len);
    session->field[len] = '\0';
}

static void on_form_value(const qcap_match_t *match, void *user)
{
    unsigned char text[FIELD_MAX];
    said_t said = {.bytes = text};
    if (!take_field(match, text, &said.len))
        return;
    said.origin = origin_of(match);
    add_field(user, session_of(user, match), &said);
}

/* RFC 7578, 4.2: each part of a form in several parts says which field it is. */
static void on_part_name(const qcap_match_t *match, void *user)
{
    if (!match->str || match->is_server)
        return;
    session_t *session = session_of(user, match);
    size_t len = match->bytes && match->len < FIELD_MAX ? match->len : 0;
    if (len > 0)
        memcpy(session->field, match->bytes, len);
    session->field[len] = '\0';
}

static void on_part(const qcap_match_t *match, void *user)
{
    session_t *session = match->str && !match->is_server ? session_of(user, match) : NULL;
    if (!session || !session->field[0])
        return;
    if (match->kind == QCAP_EVENT_BEGIN)
        session->value_len = 0;
    size_t room = session->value_len < FIELD_MAX ? FIELD_MAX - session->value_len : 0;
    if (match->kind == QCAP_EVENT_PIECE && match->len <= room)
        memcpy(session->value + session->value_len, match->bytes, match->len);
    if (match->kind == QCAP_EVENT_PIECE || match->kind == QCAP_EVENT_GAP)
        session->value_len += match->kind == QCAP_EVENT_PIECE ? match->len : FIELD_MAX;
    if (match->kind != QCAP_EVENT_END)
        return;
    const said_t said = {.bytes = session->value, .len = session->value_len, .origin = origin_of(match)};
    if (said.len < FIELD_MAX && !(match->flags & QCAP_MATCH_ABORTED))
        add_field(user, session, &said);
    session->field[0] = '\0';
}

/* ---------------------------------------------------------------- SIP
 * Who a message is from, its request said, and the response repeats; either side may ask. */

static void on_sip_request(const qcap_match_t *match, void *user)
{
    logins_t *logins = user;
    if (match->str)
        session_of(logins, match)->is_request[match->is_server] = true;
    else
        logins->request = qcap_packet_number(match->packet);
}

static void on_sip_response(const qcap_match_t *match, void *user)
{
    if (match->str)
        session_of(user, match)->is_request[match->is_server] = false;
}

/* RFC 3261, 19.1.1: of sip:user:password@host;parameters?headers, what is before the parameters. */
static void on_sip_from(const qcap_match_t *match, void *user)
{
    logins_t *logins = user;
    bool is_request = match->str ? session_of(logins, match)->is_request[match->is_server]
                                 : logins->request == qcap_packet_number(match->packet);
    const unsigned char *begin = match->bytes ? memchr(match->bytes, ':', match->len) : NULL;
    if (!is_request || !begin || !memchr(begin, '@', match->len - (size_t)(begin - match->bytes)))
        return;
    const origin_t origin = origin_of(match);
    size_t left = match->len - (size_t)(++begin - match->bytes), len = 0;
    while (len < left && begin[len] != ';' && begin[len] != '?')
        len++;
    unsigned char *text = program_resize(logins->program, NULL, len + 1);
    memcpy(text, begin, len);
    add_login(logins, &origin, "From", text, len);
}

/* ---------------------------------------------------------------- sources */

/* The step that an element is. */
typedef enum {
    WHOLE,
    USER,
    PASSWORD,
    MECHANISM, /* of the user to come */
    PROOF      /* in place of a password; it tells the scheme of the user */
} step_t;

/* Where logins are. */
static const struct source {
    const char *element;
    step_t step;
    const char *scheme; /* where no mechanism was named */
} sources[] = {
    {"ftp.username", USER, "USER"},       {"ftp.password", PASSWORD, "USER"},
    {"smtp.username", USER, "AUTH"},      {"smtp.password", PASSWORD, "AUTH"},
    {"smtp.auth-mechanism", MECHANISM, NULL}, {"smtp.mail-from", WHOLE, "sender"},
    {"imap.username", USER, "LOGIN"},     {"imap.password", PASSWORD, "LOGIN"},
    {"imap.auth-mechanism", MECHANISM, NULL},
    {"pop3.username", USER, "USER"},      {"pop3.password", PASSWORD, "USER"},
    {"pop3.auth-mechanism", MECHANISM, NULL}, {"pop3.command.digest", PROOF, "APOP"},
    {"irc.nickname", USER, "NICK"},       {"irc.username", USER, "USER"},
    {"irc.password", PASSWORD, "PASS"},   {"irc.auth-mechanism", MECHANISM, NULL},
    {"http.request-target.authority.userinfo", WHOLE, "URI"}, {"rtsp.userinfo", WHOLE, "URI"},
    {"redis.username", USER, "AUTH"},     {"redis.password", PASSWORD, "AUTH"},
    {"smtp.token", PASSWORD, "AUTH"},     {"imap.token", PASSWORD, "AUTH"},
    {"pop3.token", PASSWORD, "AUTH"},     {"irc.token", PASSWORD, "AUTH"},
};

/* One for each source. */
typedef struct subscription {
    logins_t *logins;
    const struct source *source;
} subscription_t;

/* RFC 4422, 3.1: a mechanism's name has capital letters; it is sent in others, too. */
static void set_scheme(session_t *session, const qcap_match_t *match)
{
    size_t len = 0;
    for (; len < match->len && len < sizeof session->scheme - 1; len++)
        session->scheme[len] = (char)toupper(match->bytes[len]);
    session->scheme[len] = '\0';
}

static void on_step(const qcap_match_t *match, void *user)
{
    const subscription_t *subscription = user;
    logins_t *logins = subscription->logins;
    const char *scheme = subscription->source->scheme;
    const said_t said = {match->bytes, match->len, origin_of(match)};
    if (!match->bytes || (match->str && match->is_server) || (match->len == 0 && subscription->source->step == WHOLE))
        return;
    if (!match->str || subscription->source->step == WHOLE) {
        unsigned char *text = program_resize(logins->program, NULL, match->len + 1);
        memcpy(text, match->bytes, match->len);
        add_login(logins, &said.origin, scheme ? scheme : "", text, match->len);
    } else if (subscription->source->step == USER) {
        add_user(logins, session_of(logins, match), &said, scheme);
    } else if (subscription->source->step == PASSWORD) {
        add_password(logins, session_of(logins, match), &said, scheme);
    } else if (subscription->source->step == PROOF) {
        session_of(logins, match)->user_scheme = scheme;
    } else {
        session_t *session = session_of(logins, match);
        flush(logins, session);
        set_scheme(session, match);
    }
}

/* The user without a password is a login, too. */
static void on_close(qcap_tcpstr_t *client, void *user)
{
    session_t *session = conversation_of(client);
    if (!session)
        return;
    flush(user, session);
    flush_early(user, session);
    free(session);
    conversation_set(client, NULL);
}

/* ---------------------------------------------------------------- printing */

/* The credential stands last, so that no other column depends on its width. */
static void print_login(const login_t *login)
{
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE], date[32] = "?";
    time_t seconds = (time_t)(login->first_ns / 1000000000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc);
    printf("%-15s  %-8s  %-21s  %-19s  %5" PRIu64 "  ", qcap_address_print(&login->client, client, sizeof client),
           login->protocol, qcap_endpoint_print(&login->server, server, sizeof server), date, login->count);
    print_safely((const unsigned char *)login->scheme, strlen(login->scheme));
    printf("%*s", (int)(strlen(login->scheme) < 6 ? 8 - strlen(login->scheme) : 2), "");
    print_safely(login->text, login->len);
    putchar('\n');
}

static void print_object(const login_t *login)
{
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE];
    printf("{\"address\":\"%s\",\"protocol\":\"%s\",\"server\":\"%s\",\"first\":" TIME_FORMAT ",\"count\":%" PRIu64
           ",\"scheme\":",
           qcap_address_print(&login->client, client, sizeof client), login->protocol,
           qcap_endpoint_print(&login->server, server, sizeof server), TIME_VALUES(login->first_ns), login->count);
    print_json_string(login->scheme);
    fputs(",\"credential\":", stdout);
    print_json(login->text, login->len);
    puts("}");
}

static void print_logins(logins_t *logins, bool is_json)
{
    if (logins->count == 0)
        return;
    qsort(logins->all, logins->count, sizeof *logins->all, compare);
    if (!is_json)
        printf("%-15s  %-8s  %-21s  %-19s  %5s  %-6s  %s\n", "ADDRESS", "PROTOCOL", "SERVER", "FIRST (UTC)", "COUNT",
           "SCHEME", "CREDENTIAL");
    for (size_t i = 0; i < logins->count; i++) {
        (is_json ? print_object : print_login)(&logins->all[i]);
        free(logins->all[i].text);
    }
    free(logins->all);
    free(logins->places);
}

static const struct {
    const char *element;
    qcap_match_handler_t handler;
} others[] = {
    {"http.basic-credentials", on_basic},     {"http.digest-username", on_digest},
    {"rtsp.basic-credentials", on_basic},     {"rtsp.digest-username", on_digest},
    {"sip.digest-username", on_digest},       {"sip.request-line.method", on_sip_request},
    {"sip.status-code", on_sip_response},     {"sip.From.uri", on_sip_from},
    {"form.name", on_form_name},              {"form.value", on_form_value},
    {"mime.Content-Disposition.parameter.name", on_part_name},
};

static void subscribe(const program_t *program, qcap_t *q, logins_t *logins, subscription_t *subscriptions)
{
    bool is_right = true;
    for (size_t i = 0; i < sizeof others / sizeof *others && is_right; i++)
        is_right = qcap_tcpstr_handler_add(q, others[i].element, others[i].handler, logins) >= 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources && is_right; i++) {
        subscriptions[i] = (subscription_t){logins, &sources[i]};
        is_right = qcap_tcpstr_handler_add(q, sources[i].element, on_step, &subscriptions[i]) >= 0;
    }
    if (!is_right || qcap_stream_handler_add(q, "mime.content", on_part, logins) < 0)
        program_fail(program, q);
}

int main(int argc, char **argv)
{
    const char *json = NULL;
    const program_option_t options[] = {{"json", false, &json}, {NULL, false, NULL}};
    program_t program = {.name = "ip_identity", .help = help, .examples = examples, .options = options};
    logins_t logins = {.program = &program};
    subscription_t subscriptions[sizeof sources / sizeof *sources];
    const qcap_tap_t tap = {.on_close = on_close};
    qcap_t *q = program_start(&program, argc, argv);
    if (qcap_protocols_builtin(q) < 0 || qcap_tap_add(q, &tap, &logins) < 0)
        program_fail(&program, q);
    subscribe(&program, q, &logins, subscriptions);
    int status = program_run(&program, q);
    qcap_close(q);
    print_logins(&logins, json);
    return status;
}
