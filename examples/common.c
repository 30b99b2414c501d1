/* common.c: the command line, running a capture, text for people. */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH 20000 /* packets between two looks at the clock */
#define PROGRESS_NS 200000000
#define OUTPUT_SIZE 65536 /* bytes that are written at once, but on a device */

static const char where_help[] =
    "  --where CONDITION  only packets that this is true for: ip.ttl < 5 and tcp.port in {80, 8080};\n"
    "                     --where help lists the fields\n";
static const char common_help[] =
    "  -i DEVICE          listen at a device instead, until interrupted\n"
    "  -f FILTER          only packets that FILTER fits, as pcap-filter(7) describes it\n"
    "  --set NAME=VALUE   make a setting; --set help lists them\n"
    "  --help, --version  this text; which version this is\n"
    "\n"
    "TRACE is a capture file, pcap or pcapng, also compressed by gzip, zstd or xz; - is standard input.\n"
    "\n"
    "Exit status:\n"
    "  0  all is well\n"
    "  1  the capture cannot be read, or not to its end, or the output cannot be written\n"
    "  2  the command line makes no sense\n";

/* ---------------------------------------------------------------- the command line */

void program_misuse(const program_t *program, const char *message)
{
    fprintf(stderr, "%s: %s; see %s --help\n", program->name, message, program->name);
    exit(EXIT_USAGE);
}

static _Noreturn void show_help(const program_t *program)
{
    fputs(program->help, stdout);
    fputs(program->is_where_own ? "" : where_help, stdout);
    fputs(common_help, stdout);
    if (program->status)
        fputs(program->status, stdout);
    printf("\nExamples:\n%s", program->examples);
    exit(EXIT_SUCCESS);
}

static _Noreturn void show_version(const program_t *program)
{
    printf("%s %s\n", program->name, QCAP_VERSION);
    exit(EXIT_SUCCESS);
}

static _Noreturn void show_settings(void)
{
    const qcap_option_t *option;
    for (size_t i = 0; (option = qcap_option(i)); i++)
        printf("%s=%s\n    %s: %s\n", option->name, option->standard, option->text, option->values);
    exit(EXIT_SUCCESS);
}

static _Noreturn void show_fields(void)
{
    const qcap_field_t *field;
    for (size_t i = 0; (field = qcap_field(i)); i++)
        printf("%-28s %s\n", field->name, field->text);
    exit(EXIT_SUCCESS);
}

static void set_where(program_t *program, const char *condition)
{
    if (strcmp(condition, "help") == 0)
        show_fields();
    program->where = condition;
}

/* Notes a setting, to be made when the capture is open. */
static void add_setting(program_t *program, const char *setting)
{
    if (strcmp(setting, "help") == 0)
        show_settings();
    size_t size = ((size_t)program->setting_count + 1) * sizeof *program->settings;
    program->settings = program_resize(program, program->settings, size);
    program->settings[program->setting_count++] = setting;
}

static const char *output_of; /* the program whose output it is, for messages */

/* What could not be written is an error, however the program ends. */
static void check_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    fprintf(stderr, "%s: cannot write: %s\n", output_of, strerror(errno));
    _exit(EXIT_FAILURE);
}

void program_watch_output(const program_t *program)
{
    output_of = program->name;
    atexit(check_output);
}

/* The words in one text, with blanks between. */
static char *join(const program_t *program, char **words, int count)
{
    size_t size = 1;
    for (int i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char *text = program_resize(program, NULL, size), *end = text;
    *end = '\0';
    for (int i = 0; i < count; i++)
        end += sprintf(end, i ? " %s" : "%s", words[i]);
    return text;
}

#define OPTIONS_MAX 16
#define OWN 256 /* what getopt_long() returns for a program's first own option */

/* The options that all programs have, and its own ones. */
static void list_options(const program_t *program, struct option *options)
{
    static const struct option common[] = {
        {"help", no_argument, NULL, 'h'},
        {"set", required_argument, NULL, 's'},
        {"version", no_argument, NULL, 'v'},
        {"where", required_argument, NULL, 'w'},
    };
    size_t count = sizeof common / sizeof *common;
    memcpy(options, common, sizeof common);
    for (int i = 0; program->options && program->options[i].name; i++)
        options[count++] = (struct option){program->options[i].name,
                                           program->options[i].has_value ? required_argument : no_argument, NULL, OWN + i};
}

/* Reads the options. Returns the filter of -f, or NULL. */
static const char *read_options(program_t *program, int argc, char **argv)
{
    struct option options[OPTIONS_MAX] = {{NULL, 0, NULL, 0}};
    const char *filter = NULL;
    int option;
    list_options(program, options);
    argv[0] = (char *)(uintptr_t)program->name; /* getopt_long() begins its messages with it */
    while ((option = getopt_long(argc, argv, program->has_times ? "hi:f:t" : "hi:f:", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            show_help(program);
        case 'i':
            program->source = optarg;
            program->is_device = true;
            break;
        case 'f':
            filter = optarg;
            break;
        case 's':
            add_setting(program, optarg);
            break;
        case 't':
            program->times++;
            break;
        case 'v':
            show_version(program);
        case 'w':
            set_where(program, optarg);
            break;
        case '?': /* getopt_long() has said what is wrong */
            fprintf(stderr, "%s: see %s --help\n", program->name, program->name);
            exit(EXIT_USAGE);
        default:
            *program->options[option - OWN].value = optarg ? optarg : "";
            break;
        }
    }
    return filter;
}

/* Reads what follows the options: the trace, then operands or a filter. Returns the filter, to be freed, or NULL. */
static char *read_rest(program_t *program, const char *filter, int argc, char **argv)
{
    if (!program->source) {
        if (optind == argc)
            program_misuse(program, "a trace or a device is missing");
        program->source = argv[optind++];
    }
    if (program->has_operands) {
        program->operands = argv + optind;
        program->operand_count = argc - optind;
    } else if (filter && optind < argc) {
        program_misuse(program, "there are two filters");
    } else if (optind < argc) {
        return join(program, argv + optind, argc - optind);
    }
    return filter ? join(program, (char *[]){(char *)(uintptr_t)filter}, 1) : NULL;
}

static const char *source_name(const program_t *program)
{
    return strcmp(program->source, "-") == 0 ? "standard input" : program->source;
}

const char *program_guess(const char *word)
{
    return word && access(word, F_OK) == 0 ? "; that is a file, and only one trace is read at a time" : "";
}

qcap_t *program_start(program_t *program, int argc, char **argv)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    program_watch_output(program);
    const char *option = read_options(program, argc, argv);
    char *filter = read_rest(program, option, argc, argv);
    qcap_t *q = program->is_device ? qcap_open_device(program->source, NULL, errbuf)
                                   : qcap_open_trace(program->source, errbuf);
    if (!q) {
        fprintf(stderr, "%s: %s: %s\n", program->name, source_name(program), errbuf);
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < program->setting_count; i++)
        if (qcap_set(q, program->settings[i]) < 0)
            program_refuse(program, q, "--set ", "; --set help lists them");
    if (filter && qcap_set_filter(q, filter) < 0)
        program_refuse(program, q, "", program_guess(argv[optind]));
    if (program->where && !program->is_where_own && qcap_set_where(q, program->where) < 0)
        program_refuse(program, q, "--where: ", "");
    free(program->settings);
    program->settings = NULL;
    free(filter);
    setvbuf(stdout, NULL, program->is_device ? _IOLBF : _IOFBF, OUTPUT_SIZE);
    return q;
}

/* ---------------------------------------------------------------- running */

static qcap_t *interrupted; /* the handle that a signal stops */

/* The first signal asks for an end with results; a second one ends the program. */
static void on_signal(int number)
{
    (void)number;
    qcap_breakloop(interrupted);
}

/* What waits for standard input, and would for ever, is to end as well: no SA_RESTART. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_flags = (int)SA_RESETHAND};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void show_progress(const program_t *program, qcap_t *q)
{
    qcap_stats_t stats;
    qcap_stats(q, &stats);
    fprintf(stderr, "\r%s: %" PRIu64 " packets, %" PRIu64 " MB, %" PRIu64 " connections", program->name, stats.packets,
            stats.bytes / 1000000, stats.conversations);
}

int program_run(const program_t *program, qcap_t *q)
{
    bool is_shown = isatty(STDERR_FILENO) && !(program->is_talkative && isatty(STDOUT_FILENO)), was_shown = false;
    int64_t shown_ns = clock_ns();
    int status;
    interrupted = q;
    watch_signals();
    while ((status = qcap_dispatch(q, BATCH)) > 0 || (status == 0 && program->is_device)) {
        if (is_shown && clock_ns() - shown_ns > PROGRESS_NS) {
            show_progress(program, q);
            shown_ns = clock_ns();
            was_shown = true;
        }
    }
    if (was_shown)
        fputs("\r\033[K", stderr);
    if (status == QCAP_E_BREAK)
        status = qcap_finish(q);
    if (status == 0)
        return EXIT_SUCCESS;
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", program->name, source_name(program), qcap_geterr(q));
    return EXIT_FAILURE;
}

void program_fail(const program_t *program, qcap_t *q)
{
    fprintf(stderr, "%s: %s\n", program->name, qcap_geterr(q));
    qcap_close(q);
    exit(EXIT_FAILURE);
}

void program_refuse(const program_t *program, qcap_t *q, const char *before, const char *behind)
{
    fprintf(stderr, "%s: %s%s%s\n", program->name, before, qcap_geterr(q), behind);
    qcap_close(q);
    exit(EXIT_USAGE);
}

void *program_resize(const program_t *program, void *block, size_t size)
{
    void *resized = realloc(block, size);
    if (!resized && size > 0) {
        fprintf(stderr, "%s: out of memory\n", program->name);
        exit(EXIT_FAILURE);
    }
    return resized;
}

char *program_copy(const program_t *program, const qcap_match_t *match)
{
    size_t len = match->bytes ? match->len : 0;
    char *text = program_resize(program, NULL, len + 1);
    if (len > 0)
        memcpy(text, match->bytes, len);
    text[len] = '\0';
    return text;
}

void program_make_folder(const program_t *program, const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return;
    fprintf(stderr, "%s: %s: %s\n", program->name, path, strerror(errno));
    exit(EXIT_FAILURE);
}

/* ---------------------------------------------------------------- conversations */

void *conversation_of(const qcap_tcpstr_t *str)
{
    return str ? qcap_tcpstr_user(str) : NULL;
}

void conversation_set(qcap_tcpstr_t *str, void *conversation)
{
    qcap_tcpstr_set_user(str, conversation);
    qcap_tcpstr_set_user(qcap_tcpstr_other(str), conversation);
}

void *conversation_get(const program_t *program, qcap_tcpstr_t *str, size_t size)
{
    void *conversation = conversation_of(str);
    if (conversation)
        return conversation;
    conversation = program_resize(program, NULL, size);
    memset(conversation, 0, size);
    conversation_set(str, conversation);
    return conversation;
}

void get_ends(const qcap_tcpstr_t *str, const qcap_packet_t *packet, bool is_server, qcap_endpoint_t ends[2])
{
    if (str) {
        ends[is_server] = *qcap_tcpstr_source(str);
        ends[!is_server] = *qcap_tcpstr_destination(str);
    } else {
        qcap_packet_source(packet, &ends[is_server]);
        qcap_packet_destination(packet, &ends[!is_server]);
    }
}

void print_flow(char *text, const qcap_tcpstr_t *str, const qcap_packet_t *packet, uint64_t exchange, bool is_server)
{
    qcap_endpoint_t ends[2];
    char client[QCAP_ENDPOINT_SIZE], server[QCAP_ENDPOINT_SIZE];
    get_ends(str, packet, is_server, ends);
    snprintf(text, FLOW_SIZE, "\"flow\":{\"%s\":%" PRIu64 ",\"client\":\"%s\",\"server\":\"%s\"}",
             str ? "number" : "exchange", str ? qcap_tcpstr_number(str) : exchange,
             qcap_endpoint_print(&ends[0], client, sizeof client), qcap_endpoint_print(&ends[1], server, sizeof server));
}

/* ---------------------------------------------------------------- text */

/* The length of the UTF-8 sequence at `text`, which has `len` bytes, at least 1; 0 if it is none. RFC 3629, 4: the first byte
 * tells the length and narrows the second byte, so that there is one form for each character, and none for surrogates and beyond
 * U+10FFFF. */
static size_t utf8_len(const unsigned char *text, size_t len)
{
    unsigned first = text[0], low = 0x80, high = 0xbf;
    size_t need = first < 0x80 ? 1 : first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3
                                 : first >= 0xf0 && first <= 0xf4   ? 4 : 0;
    if (need == 0 || need > len)
        return 0;
    low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    for (size_t i = 1; i < need; i++) {
        if (text[i] < low || text[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return need;
}

int hex_value(unsigned char digit)
{
    unsigned lower = digit | 0x20u;
    return digit >= '0' && digit <= '9' ? digit - '0' : lower >= 'a' && lower <= 'f' ? (int)lower - 'a' + 10 : -1;
}

/* How many bytes at the beginning of the text a terminal may be shown as they are: a character, or none. */
static size_t safe_len(const unsigned char *text, size_t len)
{
    size_t step = utf8_len(text, len);
    bool is_control = text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && step == 2 && text[1] < 0xa0);
    return is_control ? 0 : step;
}

void print_safely(const unsigned char *text, size_t len)
{
    for (size_t begin = 0, i = 0; i < len; begin = i) {
        for (size_t step = 1; i < len && step > 0; i += step)
            step = safe_len(text + i, len - i);
        fwrite(text + begin, 1, i - begin, stdout);
        if (i < len)
            printf("\\x%02x", (unsigned)text[i++]);
    }
}

/* ---------------------------------------------------------------- JSON */

/* A byte that does not stand for itself. */
static char *put_escaped(char *at, unsigned byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *letter = byte == '"' ? "\"" : byte == '\\' ? "\\" : byte == '\n' ? "n" : byte == '\r' ? "r" : byte == '\t' ? "t" : NULL;
    *at++ = '\\';
    if (letter) {
        *at++ = *letter;
        return at;
    }
    at = put_text(at, "u00");
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
    return at;
}

/* A character of UTF-8. Some readers end a line at NEL, LS or PS, too (U+0085, U+2028, U+2029): these are escaped like control
 * characters. */
static char *put_character(char *at, const unsigned char *text, size_t len)
{
    if (len == 2 && text[0] == 0xc2 && text[1] < 0xa0)
        return put_escaped(at, text[1]);
    if (len == 3 && text[0] == 0xe2 && text[1] == 0x80 && (text[2] == 0xa8 || text[2] == 0xa9))
        return put_text(at, text[2] == 0xa8 ? "\\u2028" : "\\u2029");
    memcpy(at, text, len);
    return at + len;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Text of a JSON string from *text on, as much of it as begins before `limit`; behind that, there is room for JSON_WIDEST bytes. */
#define JSON_WIDEST 6
static char *put_some_json(char *at, const char *limit, const unsigned char **text, const unsigned char *end)
{
    const unsigned char *from = *text;
    while (from < end && at < limit) {
        if (is_plain(*from)) {
            *at++ = (char)*from++;
            continue;
        }
        size_t len = utf8_len(from, (size_t)(end - from));
        at = len > 1 ? put_character(at, from, len) : put_escaped(at, *from);
        from += len ? len : 1;
    }
    *text = from;
    return at;
}

char *put_json(char *at, const unsigned char *text, size_t len)
{
    const unsigned char *end = text + len;
    *at++ = '"';
    at = put_some_json(at, at + len * JSON_WIDEST + 1, &text, end);
    *at++ = '"';
    return at;
}

void print_json_to(FILE *file, const unsigned char *text, size_t len)
{
    char part[4096];
    const unsigned char *end = text + len;
    putc('"', file);
    while (text < end) {
        char *at = put_some_json(part, part + sizeof part - JSON_WIDEST, &text, end);
        fwrite(part, 1, (size_t)(at - part), file);
    }
    putc('"', file);
}

void print_json(const unsigned char *text, size_t len)
{
    print_json_to(stdout, text, len);
}

void print_json_string(const char *text)
{
    print_json((const unsigned char *)text, strlen(text));
}

/* ---------------------------------------------------------------- lines */

char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);
    memcpy(at, text, len);
    return at + len;
}

/* At least `digits` of them, with zeros in front. */
static char *put_digits(char *at, uint64_t number, int digits)
{
    char reversed[24];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || count < digits);
    while (count > 0)
        *at++ = reversed[--count];
    return at;
}

char *put_number(char *at, uint64_t number)
{
    return put_digits(at, number, 1);
}

static char *put_seconds(char *at, int64_t ns)
{
    uint64_t positive = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        *at++ = '-';
    at = put_digits(at, positive / 1000000000, 1);
    *at++ = '.';
    return put_digits(at, positive % 1000000000, 9);
}

static char *put_date(char *at, int64_t ns)
{
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    time_t time = (time_t)seconds;
    struct tm date;
    *at++ = '"';
    if (gmtime_r(&time, &date))
        at += strftime(at, TIME_SIZE - 12, "%Y-%m-%d %H:%M:%S.", &date);
    at = put_digits(at, (uint64_t)(ns - seconds * 1000000000), 9);
    *at++ = '"';
    return at;
}

char *put_time(char *at, time_style_t *times, int64_t ns)
{
    if (!times->has_first)
        times->first_ns = times->last_ns = ns;
    int64_t since = times->style == 3 ? times->last_ns : times->style == 5 ? times->first_ns : 0;
    times->has_first = true;
    times->last_ns = ns;
    return times->style == 4 ? put_date(at, ns) : put_seconds(at, ns - since);
}
