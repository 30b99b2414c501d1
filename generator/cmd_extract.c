/* cmd_extract.c: qcapgen extract: takes the ABNF out of an RFC. */
#include "command.h"

#include <stdio.h>

#include "extract.h"
#include "source.h"

static int run(const request_t *request)
{
    diag_t *diag = diag_new(request->arena);
    const source_t *source = source_read(request->arena, request->arguments[0], (place_t){.source = NULL}, diag);
    text_t text;

    if (!source) {
        diag_print(diag, stderr);
        return STATUS_WRONG;
    }
    text_init(&text, request->arena);
    if (!extract(request->arena, source, &text))
        return command_fail("%s has no ABNF", source->path);
    fwrite(text.bytes, 1, text.len, stdout);
    return STATUS_RIGHT;
}

const command_t cmd_extract = {
    .name = "extract",
    .arguments = "RFC.txt",
    .min = 1,
    .max = 1,
    .summary = "print the ABNF in the plain text of an RFC; - is standard input",
    .help = "\n"
            "Rules come in the order of the text, below the section that has them, without pages and prose. One that an\n"
            "appendix repeats is left out. What might be a rule and is not taken for one is kept as a comment, and so are\n"
            "the names that other specs must define.\n",
    .run = run,
};
