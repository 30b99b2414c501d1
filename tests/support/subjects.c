/* subjects.c: the list. */
#include "subjects.h"

#include <string.h>

#include "builtin.h"
#include "counts.h"
#include "datagrams.h"
#include "ends.h"
#include "joint.h"
#include "nested.h"
#include "offers.h"
#include "parcels.h"
#include "rounds.h"
#include "starts.h"
#include "sampler.h"
#include "switches.h"
#include "tagged.h"
#include "toy.h"
#include "values.h"

#define SUBJECT(folder, name, file) {folder "/" #file ".abnf", "tests/protocols/" #file, &qcap_##name##_protocol},
#define FEATURE(name) SUBJECT("tests/support", name, name)
#define BUILTIN(name, file) SUBJECT("specs", name, file)
#define PROTOCOL(name, file) &qcap_##name##_protocol,

const subject_t subjects[] = {
    FEATURE(sampler) FEATURE(values) FEATURE(counts) FEATURE(nested) FEATURE(rounds) FEATURE(starts) FEATURE(ends) FEATURE(tagged)
    FEATURE(joint) FEATURE(offers) FEATURE(switches) FEATURE(datagrams) FEATURE(parcels)
    QCAP_BUILTIN_MAP(BUILTIN)
};
const size_t subject_count = sizeof subjects / sizeof *subjects;

const qcap_protocol_t *subject_find(const char *name, const uint64_t **wanted, void *user)
{
    static const qcap_protocol_t *const protocols[] = {PROTOCOL(toy, toy) PROTOCOL(datagrams, datagrams)
                                                       QCAP_BUILTIN_MAP(PROTOCOL)};
    (void)wanted;
    (void)user;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    return NULL;
}

const subject_t *subject_choose(const unsigned char **bytes, size_t *len)
{
    const unsigned char *end = *len ? memchr(*bytes, '\n', *len) : NULL;
    size_t name_len = end ? (size_t)(end - *bytes) : 0, taken = name_len + 1;
    const subject_t *chosen = NULL;
    for (size_t i = 0; i < subject_count && name_len > 0; i++)
        if (strlen(subjects[i].protocol->name) == name_len && memcmp(subjects[i].protocol->name, *bytes, name_len) == 0)
            chosen = &subjects[i];
    if (!chosen && *len > 0) {
        chosen = &subjects[(*bytes)[0] % subject_count];
        taken = 1;
    }
    if (chosen) {
        *bytes += taken;
        *len -= taken;
    }
    return chosen;
}

bool subject_has_streams(const subject_t *subject)
{
    return subject->protocol->client.start != QCAP_NONE || subject->protocol->server.start != QCAP_NONE;
}
