/* options.c: limits and settings: qcap_options_t, and the same as text.
 *
 * In: the options, or "NAME=VALUE", which changes one of them; a policy is the only setting that is none. Out: the handle has
 * them; what makes no sense is refused, as text with the values that do. One table says what each text is. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handle.h"

#define DEFAULT_MEMORY ((uint64_t)512 << 20)
#define LEAST_MEMORY ((uint64_t)1 << 20)
#define DEFAULT_WAIT ((uint64_t)1 << 20)
#define NS_PER_MS 1000000

/* ---------------------------------------------------------------- the options */

static void set(qcap_t *q, const qcap_options_t *options)
{
    q->options = *options;
    q->budget.limit = options->memory;
    for (int i = 0; i < QCAP_TIMEOUT_COUNT; i++)
        q->timeouts_ns[i] = (int64_t)options->timeouts_ms[i] * NS_PER_MS;
}

void qcapint_options_init(qcap_t *q)
{
    const qcap_options_t defaults = {
        .memory = DEFAULT_MEMORY,
        .wait_limit = DEFAULT_WAIT,
        .element_limit = QCAP_LIMIT,
        .timeouts_ms = {
#define X(name, ms, text) [QCAP_TIMEOUT_##name] = ms,
            QCAP_TIMEOUT_MAP(X)
#undef X
        },
    };
    qcapint_budget_init(&q->budget, DEFAULT_MEMORY);
    set(q, &defaults);
}

void qcap_options(const qcap_t *q, qcap_options_t *options)
{
    *options = q->options;
}

int qcap_set_options(qcap_t *q, const qcap_options_t *options)
{
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    if (options->memory < LEAST_MEMORY)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "the memory ceiling is at least %llu bytes", (unsigned long long)LEAST_MEMORY);
    if (options->element_limit == 0)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "elements need a limit of 1 byte or more");
    if ((unsigned)options->checksums > QCAP_CHECKSUMS_IGNORE)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "there is no such treatment of checksums");
    if ((unsigned)options->urgent > QCAP_URGENT_OUT_OF_BAND)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "there is no such treatment of urgent bytes");
    set(q, options);
    return QCAP_OK;
}

/* ---------------------------------------------------------------- as text */

/* How a value reads, and what of the options it is. */
typedef enum {
    BYTES,  /* uint64_t */
    BYTES32,
    TIME,   /* uint32_t, milliseconds */
    CHOICE, /* an enum: the place of one of the words */
    FLAG,   /* bool: the same, of two */
    POLICY  /* none of the options */
} form_t;

typedef struct row {
    qcap_option_t option;
    form_t form;
    size_t offset;            /* in qcap_options_t */
    const char *const *words; /* CHOICE, FLAG; NULL behind the last */
} row_t;

static const char *const checksums[] = {"auto", "verify", "ignore", NULL}; /* ORDER qcap_checksums_t */
static const char *const urgents[] = {"inline", "out-of-band", NULL};      /* ORDER qcap_urgent_t */
static const char *const overlaps[] = {"policy", "discard", NULL};

static_assert(sizeof(qcap_checksums_t) == sizeof(int) && sizeof(qcap_urgent_t) == sizeof(int), "choices are stored as numbers");

#define AT(member) offsetof(qcap_options_t, member)

static const row_t rows[] = {
    {{"memory", "512M", "the most memory: bytes, or K, M, G"}, BYTES, AT(memory), NULL},
    {{"wait", "1M", "most bytes of a direction that wait for the other one: bytes, or K, M, G"}, BYTES, AT(wait_limit), NULL},
    {{"element", "64K", "most bytes of an element that comes whole: bytes, or K, M, G"}, BYTES32, AT(element_limit), NULL},
    {{"checksums", "auto", "wrong ones discard a packet: auto (of senders that had right ones), verify, ignore"}, CHOICE,
     AT(checksums), checksums},
    {{"tcp.policy", "linux", "who wins an overlap, of IP fragments too: POLICY, or NETWORK:POLICY"}, POLICY, 0, NULL},
    {{"tcp.urgent", "inline", "the urgent byte: inline, out-of-band"}, CHOICE, AT(urgent), urgents},
    {{"ipv6.overlap", "policy", "fragments that overlap: policy, discard"}, FLAG, AT(is_ipv6_overlap_strict), overlaps},
#define X(name, ms, text)                                                                                              \
    {{"timeout." #name, #ms "ms", text ": ms, s, m, h"}, TIME, AT(timeouts_ms) + QCAP_TIMEOUT_##name * sizeof(uint32_t), NULL},
    QCAP_TIMEOUT_MAP(X)
#undef X
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

const qcap_option_t *qcap_option(size_t index)
{
    return index < ROW_COUNT ? &rows[index].option : NULL;
}

/* One of several words: its place among them, or -1. */
static int place_of(const char *value, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -1;
}

/* A number and its unit, one of `units`, that `factors` belong to. False: it is something else, or too large. */
static bool read_number(const char *value, const char *const *units, const uint64_t *factors, uint64_t *number)
{
    char *unit;
    if (*value < '0' || *value > '9')
        return false;
    unsigned long long amount = strtoull(value, &unit, 10);
    int at = place_of(unit, units);
    if (at < 0 || amount > UINT64_MAX / 2 / factors[at])
        return false;
    *number = amount * factors[at];
    return true;
}

static bool read_bytes(const char *value, uint64_t *bytes)
{
    static const char *const units[] = {"", "K", "M", "G", NULL};
    static const uint64_t factors[] = {1, (uint64_t)1 << 10, (uint64_t)1 << 20, (uint64_t)1 << 30};
    return read_number(value, units, factors, bytes);
}

static bool read_time(const char *value, uint64_t *ms)
{
    static const char *const units[] = {"ms", "s", "m", "h", NULL};
    static const uint64_t factors[] = {1, 1000, 60000, 3600000};
    return read_number(value, units, factors, ms);
}

/* Writes the value to the options. False if it makes no sense. */
static bool read_value(qcap_options_t *options, const row_t *row, const char *value)
{
    void *member = (unsigned char *)options + row->offset;
    uint64_t number;
    int place = row->words ? place_of(value, row->words) : -1;
    switch (row->form) {
    case BYTES:
        return read_bytes(value, member);
    case BYTES32:
    case TIME:
        if (!(row->form == TIME ? read_time : read_bytes)(value, &number) || number > UINT32_MAX)
            return false;
        *(uint32_t *)member = (uint32_t)number;
        return true;
    case CHOICE:
        memcpy(member, &place, sizeof place);
        return place >= 0;
    case FLAG:
        *(bool *)member = place == 1;
        return place >= 0;
    default:
        return false;
    }
}

/* The policy's name, behind the network if there is one: an IPv6 address has colons too, a name has none. */
static int set_policy(qcap_t *q, const char *value)
{
    char network[64];
    const char *colon = strrchr(value, ':');
    if (!colon)
        return qcap_set_policy(q, NULL, value);
    size_t len = (size_t)(colon - value);
    if (len >= sizeof network)
        return QCAP_E_ARGUMENT;
    memcpy(network, value, len);
    network[len] = '\0';
    return qcap_set_policy(q, network, colon + 1);
}

static int set_by_text(qcap_t *q, const row_t *row, const char *value)
{
    qcap_options_t options = q->options;
    if (row->form == POLICY)
        return set_policy(q, value);
    return read_value(&options, row, value) ? qcap_set_options(q, &options) : QCAP_E_ARGUMENT;
}

int qcap_set(qcap_t *q, const char *setting)
{
    const char *value = strchr(setting, '=');
    size_t len = value ? (size_t)(value - setting) : strlen(setting);
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const qcap_option_t *option = &rows[i].option;
        if (strlen(option->name) != len || strncasecmp(option->name, setting, len) != 0)
            continue;
        q->error[0] = '\0';
        status = value ? set_by_text(q, &rows[i], value + 1) : QCAP_E_ARGUMENT;
        return status && !q->error[0] ? qcapint_fail(q, status, "\"%s\": %s is %s", setting, option->name, option->text) : status;
    }
    return qcapint_fail(q, QCAP_E_NAME, "\"%s\": there is no setting of that name", setting);
}
