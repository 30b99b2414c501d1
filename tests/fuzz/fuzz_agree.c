/* fuzz_agree.c: libFuzzer's target for what a spec means: a generated parser and the interpreter of its grammar read
 * the same.
 *
 * The first byte chooses the spec. Behind it are records, each an op byte, a length byte, and for bytes so many of
 * them:
 *
 *     op bit 0      the side: client, server
 *     op bits 1, 2  0, 1: bytes      2: a hole, if the other bits are all ones, else bytes      3: the side ends
 *
 * Of a protocol of datagrams, bytes are one, and there are no holes.
 *
 * Run from the top of the tree, where the specs are. */
#include <stdio.h>
#include <stdlib.h>

#include "counts.h"
#include "datagrams.h"
#include "ends.h"
#include "http.h"
#include "joint.h"
#include "judge.h"
#include "nested.h"
#include "parcels.h"
#include "resolve.h"
#include "rounds.h"
#include "sampler.h"
#include "spec.h"
#include "switches.h"
#include "tagged.h"
#include "toy.h"
#include "values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct {
    const char *spec;
    const qcap_protocol_t *protocol;
} subjects[] = {
    {"specs/http.abnf", &qcap_http_protocol},
    {"tests/support/sampler.abnf", &qcap_sampler_protocol},
    {"tests/support/values.abnf", &qcap_values_protocol},
    {"tests/support/counts.abnf", &qcap_counts_protocol},
    {"tests/support/nested.abnf", &qcap_nested_protocol},
    {"tests/support/rounds.abnf", &qcap_rounds_protocol},
    {"tests/support/tagged.abnf", &qcap_tagged_protocol},
    {"tests/support/ends.abnf", &qcap_ends_protocol},
    {"tests/support/joint.abnf", &qcap_joint_protocol},
    {"tests/support/switches.abnf", &qcap_switches_protocol},
    {"tests/support/datagrams.abnf", &qcap_datagrams_protocol},
    {"tests/support/parcels.abnf", &qcap_parcels_protocol},
};

#define SUBJECT_COUNT (sizeof subjects / sizeof *subjects)
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

/* Made at first use, and kept: reachable to the end. */
static judge_t *get_judge(size_t subject)
{
    static judge_t *judges[SUBJECT_COUNT];
    if (judges[subject])
        return judges[subject];
    arena_t *arena = arena_new();
    judges[subject] = judge_new(subjects[subject].protocol, load(arena, subjects[subject].spec));
    judge_add_other(judges[subject], &qcap_toy_protocol, load(arena, "tests/support/toy.abnf"));
    return judges[subject];
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
    if (len == 0)
        return 0;
    judge_t *judge = get_judge(bytes[0] % SUBJECT_COUNT);
    bool is_datagram = subjects[bytes[0] % SUBJECT_COUNT].protocol->datagram != QCAP_NONE;
    for (size_t at = 1; at + 2 <= len && scene.step_count < STEPS_MAX;)
        at += 2 + read_record(bytes + at, len - at - 2, is_datagram, &steps[scene.step_count++]);
    char *difference = judge_compare(judge, &scene, len);
    if (difference) {
        char *shown = scene_print(&scene);
        fprintf(stderr, "%s\n%s\n%s", subjects[bytes[0] % SUBJECT_COUNT].spec, shown, difference);
        abort();
    }
    return 0;
}
