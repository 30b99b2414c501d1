/* command.h: what a command of qcapgen is made of, and what commands share.
 *
 * A command is one file, cmd_NAME.c, that defines a command_t, and a line in the table in main.c. The command line has
 * been read when it runs: options are there by name, arguments are as many as it asks for, `--help` has been dealt with. */
#ifndef QCAPGEN_COMMAND_H
#define QCAPGEN_COMMAND_H

#include "compile.h"

/* What qcapgen exits with. WRONG: a spec is wrong, an input was not read, a file is stale or cannot be written. */
enum { STATUS_RIGHT = 0, STATUS_WRONG = 1, STATUS_USAGE = 2 };

typedef struct option {
    const char *name;  /* "-o", "--dump" */
    const char *value; /* what its value is called, "DIR": written -o DIR, --dump=STEP, --dump STEP; NULL: it has none */
    const char *help;  /* what it does; lines end with \n, but for the last */
} option_t;

typedef struct request request_t;

typedef struct command {
    const char *name;         /* the first argument */
    const char *arguments;    /* "SPEC...", for its usage */
    unsigned min, max;        /* how many arguments it takes; max may be ARGUMENTS_ANY */
    const char *summary;      /* a line that completes "qcapgen NAME: " */
    const char *help;         /* what else there is to say; "" or lines, all with their \n */
    const option_t *options;  /* its own, the last one without a name; NULL: none */
    int (*run)(const request_t *request); /* STATUS_… */
} command_t;

#define ARGUMENTS_ANY 0xffffffffu

/* What the command line asks for. */
struct request {
    const command_t *command; /* NULL before it is known */
    char **arguments;   /* that are no options */
    unsigned count;     /* of arguments */
    const char **values; /* of options, the command's and then the common ones; NULL: not given */
    bool is_coloured;   /* messages are */
    arena_t *arena;     /* of the whole run */
};

/* Options that every command has; the last one has no name. */
extern const option_t command_common_options[];

/* The value of an option that the command, or every command, has; the last one given. "" if it has none, NULL if it
 * was not given. */
const char *command_option(const request_t *request, const char *name);

/* What --color says of the messages; false after a complaint. */
bool command_read_colour(request_t *request);

/* Says what makes no sense, and where the help is: returns STATUS_USAGE. `command` is NULL before one is known. */
int command_misuse(const command_t *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Likewise: none of `names` is `name`; `what` says what they are. Says which was probably meant. */
int command_unknown(const command_t *command, const char *what, const char *name, const char *const *names, size_t count);

/* "qcapgen: MESSAGE": returns STATUS_WRONG. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Compiles `path` and prints the messages. False if anything was wrong; what was made before that is in `result`. */
bool command_compile(const request_t *request, const char *path, const compile_options_t *options, compile_result_t *result);

/* Only reads and resolves it: a grammar of which no automaton is made. NULL if anything was wrong. */
const grammar_t *command_load(const request_t *request, const char *path);

/* Compiles all arguments. NULL if one of them was wrong: the messages of all have been printed. */
compile_result_t *command_compile_all(const request_t *request, const compile_options_t *options);

extern const command_t cmd_ambiguities;
extern const command_t cmd_check;
extern const command_t cmd_contract;
extern const command_t cmd_elements;
extern const command_t cmd_explain;
extern const command_t cmd_extract;
extern const command_t cmd_generate;
extern const command_t cmd_graph;
extern const command_t cmd_kit;
extern const command_t cmd_sample;

#endif
