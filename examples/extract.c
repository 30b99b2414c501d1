/* extract.c: what was transferred? Writes bodies, mails, attachments and files to a folder, decoded, with a manifest.
 *
 * A file is named by its number and what is safe of the name that the network gives it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "naming.h"
#include "store.h"
#include "transfers.h"

static const char help[] =
    "Usage: extract --to FOLDER [OPTION...] TRACE [FILTER...]\n"
    "       extract --to FOLDER [OPTION...] -i DEVICE [FILTER...]\n"
    "Writes what was transferred to files in FOLDER, which is made if it is not there: bodies of requests and responses,\n"
    "parts of forms, mails and their parts, files of FTP; decoded where they were encoded. FOLDER/manifest.json, which must\n"
    "not be there yet, has a line of JSON for each file:\n"
    "  file        its name: a number, and what is safe of the name that the network gave it\n"
    "  bytes       that it has; missing: how many of it the capture lacks (zeroes stand for them, at most 65536 for a hole)\n"
    "  complete    whether it was transferred, and captured, to its end\n"
    "  sha256      of the file\n"
    "  type        by its content; declared: as the network says\n"
    "  name        as the network says; that of an attachment in UTF-8\n"
    "  element     that it was in: see elements\n"
    "  flow, direction, offset, time   where that was\n"
    "\n"
    "  --to FOLDER        where to\n";

static const char examples[] = "  extract --to files trace.pcap\n"
                               "  extract --to mails trace.pcap port 25 or port 110 or port 143\n";

/* ---------------------------------------------------------------- what is known of a conversation */

#define TARGETS 256  /* requests that may wait for their response */
#define OPEN_MAX_DEPTH 8 /* files of one direction at a time: a mail, its parts */

/* How an element comes that is written to a file. */
typedef enum {
    WHOLE,   /* from its beginning to its end */
    STUFFED, /* likewise, and a dot that begins a line is not part of it: RFC 5321, 4.5.2 */
    CHUNKS,  /* each is an element, and one without content ends them: RFC 9112, 7.1 */
    PARTS    /* each is an element, and another command ends them: RFC 3030, 2 */
} coming_t;

/* A file that is being written. */
typedef struct open {
    const char *path;  /* of the element; NULL: none */
    unsigned depth;
    coming_t coming;
    bool line_begins;
    stored_t *stored;
} open_t;

/* One direction. */
typedef struct side {
    char *type, *name;           /* of the content to come; NULL: none */
    char *part_type, *part_name; /* of the part of a mail to come, as far as its fields have told, */
    char *field_type, *field_name; /* and what the field at hand adds to that */
    naming_t *naming;            /* what it says of a name */
    uint64_t fields_end;         /* behind the fields so far */
    bool is_coded;               /* the content is sent in a coding that is undone */
    bool is_chunked;             /* it, or the mail, comes in several elements */
    open_t open[OPEN_MAX_DEPTH];
} side_t;

/* What a request without a response asked for. */
typedef struct target {
    struct target *next;
    char *name;
} target_t;

typedef struct conversation {
    side_t sides[2];
    target_t *target_first, *target_last;
    unsigned target_count;
    transfers_t *transfers;
} conversation_t;

typedef struct run {
    const program_t *program;
    store_t store;
    side_t datagram; /* what lies in datagrams begins and ends in them */
} run_t;

static conversation_t *get_conversation(const run_t *run, qcap_tcpstr_t *str)
{
    return conversation_get(run->program, str, sizeof(conversation_t));
}

static side_t *side_of(run_t *run, const qcap_match_t *match)
{
    return match->str ? &get_conversation(run, match->str)->sides[match->is_server] : &run->datagram;
}

/* ---------------------------------------------------------------- files that are being written */

/* The file that the element is written to; NULL: none. */
static open_t *find_open(side_t *side, const qcap_match_t *match)
{
    for (open_t *open = side->open; open < side->open + OPEN_MAX_DEPTH; open++)
        if (open->path == match->path && open->depth == match->depth)
            return open;
    return NULL;
}

static void finish(open_t *open, bool is_cut)
{
    open->stored->is_cut |= is_cut;
    stored_finish(open->stored);
    open->path = NULL;
}

/* What came in several elements has no more. */
static void finish_chunks(side_t *side, bool is_cut)
{
    for (open_t *open = side->open; open < side->open + OPEN_MAX_DEPTH; open++)
        if (open->path && (open->coming == CHUNKS || open->coming == PARTS))
            finish(open, is_cut && open->coming == CHUNKS);
    side->is_chunked = false;
}

/* More at a time than there is room for are written no further than to here. */
static stored_t *begin(run_t *run, side_t *side, const qcap_match_t *match, coming_t coming)
{
    open_t *open = side->open;
    while (open < side->open + OPEN_MAX_DEPTH - 1 && open->path)
        open++;
    if (open->path)
        finish(open, true);
    stored_t *stored = stored_new(&run->store, match->path);
    print_flow(stored->flow, match->str, match->packet, match->exchange, match->is_server);
    stored->is_server = match->is_server;
    stored->offset = match->begin_offset;
    stored->time_ns = match->time_ns;
    *open = (open_t){match->path, match->depth, coming, true, stored};
    return stored;
}

static void write_unstuffed(open_t *open, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0, begin = 0; i < len; i++) {
        bool is_dot = open->line_begins && bytes[i] == '.';
        open->line_begins = bytes[i] == '\n';
        if (is_dot || i + 1 == len) {
            stored_write(open->stored, bytes + begin, i + !is_dot - begin);
            begin = i + 1;
        }
    }
}

/* What comes of it, or is missing. */
static void write_piece(open_t *open, const qcap_match_t *match)
{
    if (match->kind == QCAP_EVENT_PIECE && match->bytes && open->coming == STUFFED)
        write_unstuffed(open, match->bytes, match->len);
    else if (match->kind == QCAP_EVENT_PIECE && match->bytes)
        stored_write(open->stored, match->bytes, match->len);
    else if (match->kind == QCAP_EVENT_PIECE || match->kind == QCAP_EVENT_GAP)
        stored_skip(open->stored, match->own_end - match->own_begin);
}

/* Writes what comes of a stream element. Returns the file when it has just begun, to be named; otherwise NULL. */
static stored_t *write_match(run_t *run, const qcap_match_t *match, coming_t coming)
{
    side_t *side = side_of(run, match);
    open_t *open = find_open(side, match);
    bool goes_on = open && coming == open->coming && (coming == CHUNKS || coming == PARTS);
    if (match->kind == QCAP_EVENT_BEGIN)
        return goes_on ? NULL : begin(run, side, match, coming);
    if (!open)
        return NULL;
    write_piece(open, match);
    if (match->kind == QCAP_EVENT_END && (!goes_on || (match->flags & QCAP_MATCH_ABORTED)))
        finish(open, match->flags & QCAP_MATCH_ABORTED);
    return NULL;
}

/* ---------------------------------------------------------------- names */

/* Replaces the text at `to`, which may be NULL. One that is too long for the manifest is cut. */
static void note_text(const run_t *run, char **to, const unsigned char *text, size_t len)
{
    size_t size = len < STORE_TEXT_SIZE ? len + 1 : STORE_TEXT_SIZE;
    *to = program_resize(run->program, *to, size);
    store_text(*to, size, text, len);
}

static void note(const run_t *run, char **to, const qcap_match_t *match)
{
    note_text(run, to, match->bytes ? match->bytes : (const unsigned char *)"", match->bytes ? match->len : 0);
}

static void forget(char **text)
{
    free(*text);
    *text = NULL;
}

static void name_stored(stored_t *stored, const char *name, const char *type)
{
    snprintf(stored->name, sizeof stored->name, "%s", name ? name : "");
    snprintf(stored->type, sizeof stored->type, "%s", type ? type : "");
}

static void name_by_target(const run_t *run, char **name, const qcap_match_t *target)
{
    char text[STORE_TEXT_SIZE];
    store_name_of_target(text, sizeof text, target->bytes, target->len);
    note_text(run, name, (const unsigned char *)text, strlen(text));
}

/* ---------------------------------------------------------------- the web */

static void drop_target(conversation_t *conversation)
{
    target_t *target = conversation->target_first;
    conversation->target_first = target->next;
    conversation->target_count--;
    free(target->name);
    free(target);
}

static void on_target(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    if (!match->str || !match->bytes)
        return;
    conversation_t *conversation = get_conversation(run, match->str);
    side_t *side = &conversation->sides[0];
    finish_chunks(side, true);
    forget(&side->type);
    side->is_coded = false;
    name_by_target(run, &side->name, match);
    if (conversation->target_count == TARGETS)
        drop_target(conversation);
    target_t *target = program_resize(run->program, NULL, sizeof *target);
    *target = (target_t){NULL, NULL};
    name_by_target(run, &target->name, match);
    *(conversation->target_first ? &conversation->target_last->next : &conversation->target_first) = target;
    conversation->target_last = target;
    conversation->target_count++;
}

/* RFC 9110, 15.2: behind an interim response, the request still waits. */
static void on_status(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    if (!match->str)
        return;
    conversation_t *conversation = get_conversation(run, match->str);
    side_t *side = &conversation->sides[1];
    finish_chunks(side, true);
    forget(&side->type);
    forget(&side->name);
    side->is_coded = false;
    if (conversation->target_count == 0 || !match->bytes || match->bytes[0] == '1')
        return;
    side->name = conversation->target_first->name;
    conversation->target_first->name = NULL;
    drop_target(conversation);
}

static void on_type(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    note(user, &side->type, match);
}

static void on_disposition(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    char text[STORE_TEXT_SIZE];
    if (match->bytes && store_name_of_disposition(text, sizeof text, match->bytes, match->len))
        note_text(user, &side->name, (const unsigned char *)text, strlen(text));
}

/* RFC 9110, 8.4.1: those that are undone; the last one counts. */
static void on_coding(const qcap_match_t *match, void *user)
{
    static const char *const codings[] = {
        "gzip", "x-gzip", "deflate", "identity",
#ifdef QCAP_HAVE_BROTLI
        "br",
#endif
    };
    side_t *side = side_of(user, match);
    side->is_coded = false;
    for (size_t i = 0; i < sizeof codings / sizeof *codings && match->bytes; i++)
        side->is_coded |= match->len == strlen(codings[i]) && strncasecmp((const char *)match->bytes, codings[i], match->len) == 0;
}

/* RFC 9112, 7.1: 1*"0" is the last one. */
static void on_chunk_size(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    side->is_chunked = false;
    for (size_t i = 0; i < match->len && match->bytes; i++)
        side->is_chunked |= match->bytes[i] != '0';
    if (!side->is_chunked)
        finish_chunks(side, false);
}

static void write_content(run_t *run, const qcap_match_t *match, coming_t coming)
{
    stored_t *stored = write_match(run, match, coming);
    if (!stored)
        return;
    const side_t *side = side_of(run, match);
    name_stored(stored, side->name, side->type);
}

/* Whether body.content will tell the content. What another protocol reads is decoded for that one alone, and
 * written as it was sent. */
static bool has_body(const side_t *side)
{
    static const char *const others[] = {"multipart/", "message/rfc822", "application/x-www-form-urlencoded"};
    bool is_other = false;
    for (size_t i = 0; i < sizeof others / sizeof *others && side->type; i++)
        is_other |= strncasecmp(side->type, others[i], strlen(others[i])) == 0;
    return side->is_coded && !is_other;
}

static void on_content(const qcap_match_t *match, void *user)
{
    const side_t *side = side_of(user, match);
    if (!has_body(side))
        write_content(user, match, side->is_chunked ? CHUNKS : WHOLE);
}

static void on_decoded(const qcap_match_t *match, void *user)
{
    if (has_body(side_of(user, match)))
        write_content(user, match, WHOLE);
}

/* ---------------------------------------------------------------- FTP */

static void on_command(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    if (match->str)
        transfers_command(run->program, &get_conversation(run, match->str)->transfers, match);
}

static void on_file_name(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    if (match->str)
        transfers_name(run->program, get_conversation(run, match->str)->transfers, match);
}

/* What has no name is called after the command: a list. Of a control connection that is over, nothing is known any more. */
static void name_by_parent(stored_t *stored, const qcap_parent_t *parent)
{
    const conversation_t *conversation = parent ? conversation_of(parent->str) : NULL;
    const char *name = conversation ? transfers_take(conversation->transfers, parent->announced_ns) : NULL;
    if (name)
        name_stored(stored, name, NULL);
}

/* The command may be told after the data has begun, but before it ends. The side that sends nothing ends, too. */
static void on_data(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    if (match->kind == QCAP_EVENT_END && match->str) {
        open_t *open = find_open(side_of(run, match), match);
        if (open && open->stored->bytes + open->stored->missing > 0)
            name_by_parent(open->stored, qcap_tcpstr_parent(match->str));
    }
    write_match(run, match, WHOLE);
}

/* ---------------------------------------------------------------- mail */

#define MAIL_NAME "mail.eml"
#define MAIL_TYPE "message/rfc822"

static void write_mail(run_t *run, const qcap_match_t *match, coming_t coming)
{
    stored_t *stored = write_match(run, match, coming);
    if (stored)
        name_stored(stored, MAIL_NAME, MAIL_TYPE);
}

static void on_pop3_message(const qcap_match_t *match, void *user)
{
    write_mail(user, match, STUFFED);
}

static void on_smtp_verb(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    bool is_chunked = match->bytes && match->len == 4 && strncasecmp((const char *)match->bytes, "BDAT", 4) == 0;
    if (!is_chunked)
        finish_chunks(side, true);
    side->is_chunked = is_chunked;
}

static void on_smtp_message(const qcap_match_t *match, void *user)
{
    write_mail(user, match, side_of(user, match)->is_chunked ? PARTS : STUFFED);
}

static void on_message(const qcap_match_t *match, void *user)
{
    write_mail(user, match, WHOLE);
}

/* A multipart's own type is not its parts'. */
static void on_part_type(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    note(user, &side->field_type, match);
    if (strncasecmp(side->field_type, "multipart/", strlen("multipart/")) == 0)
        forget(&side->field_type);
}

static void on_part_name(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    side_t *side = side_of(run, match);
    if (match->len == 0)
        return;
    free(side->field_name);
    side->field_name = naming_name(run->program, side->naming, match);
}

static void on_naming(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    naming_take(run->program, &side_of(run, match)->naming, match);
}

/* Of a form, what has no name of a file is called after its field. */
static void on_form_name(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    if (!side->field_name)
        note(user, &side->field_name, match);
}

/* Moves a text, if there is one. */
static void take(char **to, char **from)
{
    if (!*from)
        return;
    free(*to);
    *to = *from;
    *from = NULL;
}

/* The fields of a part come before its content, each told behind what is in it; one that does not follow the last one begins
 * another part. */
static void on_field(const qcap_match_t *match, void *user)
{
    side_t *side = side_of(user, match);
    if (match->own_begin != side->fields_end) {
        forget(&side->part_type);
        forget(&side->part_name);
    }
    char *joined = naming_end(((run_t *)user)->program, side->naming);
    take(&side->field_name, &joined);
    take(&side->part_type, &side->field_type);
    take(&side->part_name, &side->field_name);
    side->fields_end = match->own_end;
}

static void on_part(const qcap_match_t *match, void *user)
{
    run_t *run = user;
    side_t *side = side_of(run, match);
    stored_t *stored = write_match(run, match, WHOLE);
    if (!stored)
        return;
    name_stored(stored, side->part_name, side->part_type);
    forget(&side->part_type);
    forget(&side->part_name);
}

/* ---------------------------------------------------------------- running */

/* What is unfinished is cut. */
static void close_side(side_t *side)
{
    finish_chunks(side, true);
    for (open_t *open = side->open; open < side->open + OPEN_MAX_DEPTH; open++)
        if (open->path)
            finish(open, true);
    forget(&side->type);
    forget(&side->name);
    forget(&side->part_type);
    forget(&side->part_name);
    forget(&side->field_type);
    forget(&side->field_name);
    naming_free(side->naming);
    side->naming = NULL;
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    conversation_t *conversation = conversation_of(client);
    (void)user;
    if (!conversation)
        return;
    close_side(&conversation->sides[0]);
    close_side(&conversation->sides[1]);
    while (conversation->target_count > 0)
        drop_target(conversation);
    transfers_free(conversation->transfers);
    free(conversation);
    conversation_set(client, NULL);
}

static const struct {
    const char *name;
    qcap_match_handler_t handler;
    bool is_stream;
} elements[] = {
    {"http.request-target", on_target, false},
    {"http.status-code", on_status, false},
    {"http.Content-Type", on_type, false},
    {"http.field-value[Content-Disposition]", on_disposition, false},
    {"http.content-coding", on_coding, false},
    {"http.chunk-size", on_chunk_size, false},
    {"http.content", on_content, true},
    {"body.content", on_decoded, true},
    {"ftp.command", on_command, false},
    {"ftp.file-name", on_file_name, false},
    {"ftp-data.data", on_data, true},
    {"smtp.verb", on_smtp_verb, false},
    {"smtp.message", on_smtp_message, true},
    {"pop3.message", on_pop3_message, true},
    {"imap.message", on_message, true},
    {"mime.media-type", on_part_type, false},
    {"mime.file-name", on_part_name, false},
#define ROW(name) {name, on_naming, false},
    NAMING_MAP(ROW)
#undef ROW
    {"mime.Content-Disposition.parameter.name", on_form_name, false},
    {"mime.field", on_field, false},
    {"mime.content", on_part, true},
};

static void subscribe(const program_t *program, qcap_t *q, run_t *run)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if ((elements[i].is_stream ? qcap_stream_handler_add : qcap_tcpstr_handler_add)(q, elements[i].name,
                                                                                       elements[i].handler, run) < 0)
            program_fail(program, q);
}

/* As many files at a time as the system allows. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    const char *folder = NULL;
    const program_option_t options[] = {{"to", true, &folder}, {NULL, false, NULL}};
    program_t program = {.name = "extract", .help = help, .examples = examples, .options = options};
    const qcap_tap_t tap = {.on_close = on_close};
    qcap_t *q = program_start(&program, argc, argv);
    run_t run = {.program = &program};
    if (!folder)
        program_misuse(&program, "--to FOLDER is missing");
    if (qcap_protocols_builtin(q) < 0 || qcap_tap_add(q, &tap, &run) < 0)
        program_fail(&program, q);
    subscribe(&program, q, &run);
    raise_limit();
    store_open(&run.store, &program, folder);
    int status = program_run(&program, q);
    qcap_close(q);
    close_side(&run.datagram);
    store_close(&run.store);
    return status;
}
