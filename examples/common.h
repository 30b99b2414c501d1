/* common.h: what the example programs share: the command line, running a capture, text for people.
 *
 * Every program reads a trace ("-" is standard input) or listens at a device, and takes a filter. Messages go to
 * standard error as `program: file: message`. The exit status is 0; 1 where the capture could not be read, or not to
 * its end; 2 for a command line that makes no sense. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdio.h>

#include <qcap/qcap.h>

#define EXIT_USAGE 2

/* A long option of a program's own. */
typedef struct program_option {
    const char *name;   /* without the dashes; NULL behind the last */
    bool has_value;     /* it takes one */
    const char **value; /* what is given goes here, "" if it takes no value; stays as it is otherwise */
} program_option_t;

typedef struct program {
    /* What the program says of itself, before program_start(). */
    const char *name;     /* for messages */
    const char *help;     /* the text of --help, without what all programs have; it ends with its own options */
    const char *status;   /* other exit statuses, as lines of that text; NULL: none */
    const char *examples; /* likewise */
    const program_option_t *options; /* of its own; NULL: none */
    bool has_times;       /* it takes -t, as often as tcpdump does */
    bool is_where_own;    /* what --where says is not for packets: the program compiles it, and its help tells of it */
    bool has_operands;    /* what follows the trace are its operands; else they are the filter */
    bool is_talkative;    /* it prints while it reads */

    /* What the command line says. */
    const char *source;   /* the trace, or the device */
    bool is_device;       /* source is a device */
    int times;            /* how often -t was given */
    const char *where;    /* of --where; NULL: not given */
    const char **settings; /* of --set; made and freed by program_start() */
    int setting_count;
    char **operands;      /* behind the trace */
    int operand_count;
} program_t;

/* From here on the program ends with a failure if its output cannot be written. program_start() does that, too. */
void program_watch_output(const program_t *program);

/* Reads the command line, and opens the capture with its filter. After --help, or anything that makes no sense, it
 * ends the program. */
qcap_t *program_start(program_t *program, int argc, char **argv);

/* Reads the whole capture, showing progress if standard error is a terminal, and what is printed does not show it; on a device
 * until it is interrupted.
 * Returns the exit status: a failure has been reported. */
int program_run(const program_t *program, qcap_t *q);

/* Reports the handle's last failure, closes it, and ends the program. */
_Noreturn void program_fail(const program_t *program, qcap_t *q);

/* Likewise, where the command line is to blame: `before` and `behind` stand around the reason. */
_Noreturn void program_refuse(const program_t *program, qcap_t *q, const char *before, const char *behind);

/* Why a word that was refused may have been there: text behind a reason. */
const char *program_guess(const char *word);

/* As realloc(), but ends the program if there is no memory. */
void *program_resize(const program_t *program, void *block, size_t size);

/* What a match says, with a NUL behind it; "" if its bytes are lost. The caller frees it. */
char *program_copy(const program_t *program, const qcap_match_t *match);

/* Makes a folder, if it is not there; one around it must be. Ends the program if that fails. */
void program_make_folder(const program_t *program, const char *path);

/* What the program keeps of a conversation, with both directions: qcap_tcpstr_set_user(). NULL: nothing, or it is none of TCP:
 * `str` is NULL. */
void *conversation_of(const qcap_tcpstr_t *str);
void conversation_set(qcap_tcpstr_t *str, void *conversation);

/* The same: if there is nothing, memory of that size, zeroed. */
void *conversation_get(const program_t *program, qcap_tcpstr_t *str, size_t size);

/* Reports what is wrong with the command line, and ends the program. */
_Noreturn void program_misuse(const program_t *program, const char *message);

/* The value of a hexadecimal digit; -1 if it is none. */
int hex_value(unsigned char digit);

/* Prints text of the network so that it can do no harm to a terminal: control characters, and bytes that are not UTF-8, stand
 * as \xNN. */
void print_safely(const unsigned char *text, size_t len);

/* Prints it as a JSON string, with its quotes: bytes that are not UTF-8 stand as \u0080 to \u00ff. */
void print_json_to(FILE *file, const unsigned char *text, size_t len);
void print_json(const unsigned char *text, size_t len);
void print_json_string(const char *text);

/* Each writes to `at`, which has room for it, and returns where it ends; there is no NUL. Lines of which there are millions
 * are put together by them. */
char *put_text(char *at, const char *text);
char *put_number(char *at, uint64_t number);

/* As print_json(); at most JSON_SIZE(len) bytes. */
#define JSON_SIZE(len) ((len) * 6 + 2)
char *put_json(char *at, const unsigned char *text, size_t len);

/* Who talked to whom, the client first: of a stream, or of a datagram if that is NULL. */
void get_ends(const qcap_tcpstr_t *str, const qcap_packet_t *packet, bool is_server, qcap_endpoint_t ends[2]);

#define FLOW_SIZE 192

/* Writes that as a member of a JSON object, with its NUL, at most FLOW_SIZE bytes: "flow" has the number of the conversation, or
 * that of the exchange, and the ends. */
void print_flow(char *text, const qcap_tcpstr_t *str, const qcap_packet_t *packet, uint64_t exchange, bool is_server);

/* What put_time() needs to know; zeros at first, but for `style`, which is program_t.times. */
typedef struct time_style {
    int style;          /* 0, 2: seconds since 1970; 1: nothing; 3: since the one before; 4: date and time; 5: since the first one */
    bool has_first;
    int64_t first_ns, last_ns;
} time_style_t;

#define TIME_SIZE 48

/* A time as a JSON number or string, at most TIME_SIZE bytes. */
char *put_time(char *at, time_style_t *times, int64_t ns);

/* A time in seconds since 1970, with all its digits. */
#define TIME_FORMAT "%" PRId64 ".%09" PRId64
#define TIME_VALUES(ns) ((ns) / 1000000000), ((ns) % 1000000000)

#endif
