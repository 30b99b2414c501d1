/* fuzz_agree.c: libFuzzer's target for what a spec means: a generated parser and the interpreter of its grammar read
 * the same.
 *
 * The spec's name is the first line, or else the first byte chooses it. Behind that are records, each an op byte, a length byte, and for bytes so many of
 * them:
 *
 *     op bit 0      the side: client, server
 *     op bits 1, 2  0, 1: bytes      2: a hole, if the other bits are all ones, else bytes      3: the side ends
 *
 * Of a protocol for datagrams alone, bytes are one, and there are no holes.
 *
 * Run from the top of the tree, where the specs are. */
#include <stdio.h>
#include <stdlib.h>

#include "judge.h"
#include "resolve.h"
#include "spec.h"
#include "subjects.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define STEPS_MAX 64u

static const grammar_t *load(arena_t *arena, const char *path)
{
    diag_t *diag = diag_new(arena);
    const ast_t *ast = spec_load(arena, path, diag);
    const grammar_t *grammar = ast ? resolve(arena, ast, diag) : NULL;
    if (!grammar) {
        diag_print(diag, stderr);
        abort();
    }
    return grammar;
}

/* Each is read once, and kept: reachable to the end. */
static const grammar_t *grammar_of(const subject_t *subject)
{
    static const grammar_t **grammars;
    grammars = grammars ? grammars : calloc(subject_count, sizeof *grammars);
    if (!grammars)
        abort();
    const grammar_t **grammar = &grammars[subject - subjects];
    *grammar = *grammar ? *grammar : load(arena_new(), subject->spec);
    return *grammar;
}

/* Likewise. */
static judge_t *judge_of(const subject_t *subject)
{
    static judge_t **judges;
    static const grammar_t *toy;
    judges = judges ? judges : calloc(subject_count, sizeof *judges);
    toy = toy ? toy : load(arena_new(), "tests/support/toy.abnf");
    if (!judges)
        abort();
    judge_t **judge = &judges[subject - subjects];
    if (*judge)
        return *judge;
    *judge = judge_new(subject->protocol, grammar_of(subject));
    for (size_t i = 0; i < subject_count; i++)
        judge_add_other(*judge, subjects[i].protocol, grammar_of(&subjects[i]));
    judge_add_other(*judge, subject_find("toy", NULL, NULL), toy);
    return *judge;
}

/* One record, `len` bytes behind its two being at hand. Returns how many of them belong to it. */
static size_t read_record(const uint8_t *record, size_t len, bool is_datagram, step_t *step)
{
    bool is_hole = (record[0] & 0xfe) == 0xfc && !is_datagram;
    *step = (step_t){.kind = is_datagram ? STEP_DATAGRAM : STEP_BYTES, .is_server = record[0] & 1};
    if ((record[0] >> 1 & 3) == 3 || is_hole) {
        step->kind = is_hole ? STEP_GAP : STEP_FINISH;
        step->number = 1u + record[1];
        return 0;
    }
    step->len = len < record[1] ? len : record[1];
    step->bytes = (unsigned char *)(uintptr_t)(record + 2);
    return step->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    step_t steps[STEPS_MAX];
    scene_t scene = {.steps = steps};
    const subject_t *subject = subject_choose(&bytes, &len);
    if (!subject)
        return 0;
    judge_t *judge = judge_of(subject);
    bool is_datagram = !subject_has_streams(subject);
    for (size_t at = 0; at + 2 <= len && scene.step_count < STEPS_MAX;)
        at += 2 + read_record(bytes + at, len - at - 2, is_datagram, &steps[scene.step_count++]);
    char *difference = judge_compare(judge, &scene, len);
    if (difference) {
        char *shown = scene_print(&scene);
        fprintf(stderr, "%s\n%s\n%s", subject->spec, shown, difference);
        abort();
    }
    return 0;
}
