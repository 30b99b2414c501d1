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
#include "meant.h"

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
        .decoded_size = QCAP_DECODED_SIZE,
        .decoded_ratio = QCAP_DECODED_RATIO,
        .timeouts_ms = {
#define X(name, setting, seconds, text) [QCAP_TIMEOUT_##name] = seconds * 1000,
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
#define A_SIZE "a number of bytes, as in 4096, 64K, 512M, 2G"
#define A_TIME "a time, as in 250ms, 30s, 10m, 1h"

static const row_t rows[] = {
    {{"memory", "512M", "the most memory", A_SIZE}, BYTES, AT(memory), NULL},
    {{"wait", "1M", "most bytes of a direction that wait for the other one", A_SIZE}, BYTES, AT(wait_limit), NULL},
    {{"element", "64K", "most bytes of an element that comes whole", A_SIZE}, BYTES32, AT(element_limit), NULL},
    {{"decoded.size", "1G", "most bytes that a decoder makes of one body or attachment; 0: any", A_SIZE}, BYTES, AT(decoded_size), NULL},
    {{"decoded.ratio", "1100", "and how many times what it has read; 0: any", "a number"}, BYTES32, AT(decoded_ratio), NULL},
    {{"checksums", "auto", "whether wrong ones discard a packet; auto: if its sender had right ones before",
      "one of auto, verify, ignore"}, CHOICE, AT(checksums), checksums},
    {{"tcp.policy", "linux", "who wins an overlap, of IP fragments too",
      "NETWORK:POLICY, or POLICY: first last bsd bsd-right linux linux-old windows windows-old macos solaris hp-ux"},
     POLICY, 0, NULL},
    {{"tcp.urgent", "inline", "the urgent byte", "one of inline, out-of-band"}, CHOICE, AT(urgent), urgents},
    {{"ipv6.overlap", "policy", "fragments that overlap", "one of policy, discard"}, FLAG, AT(is_ipv6_overlap_strict), overlaps},
#define X(name, setting, seconds, text)                                                                                \
    {{"timeout." setting, #seconds "s", text, A_TIME}, TIME, AT(timeouts_ms) + QCAP_TIMEOUT_##name * sizeof(uint32_t), NULL},
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

/* A number and its unit, one of `units`, that `factors` belong to; UINT64_MAX if it is larger than that. False: it is something
 * else. */
static bool read_number(const char *value, const char *const *units, const uint64_t *factors, uint64_t *number)
{
    char *unit;
    if (*value < '0' || *value > '9')
        return false;
    unsigned long long amount = strtoull(value, &unit, 10);
    int at = place_of(unit, units);
    if (at < 0)
        return false;
    *number = amount > UINT64_MAX / factors[at] ? UINT64_MAX : amount * factors[at];
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

/* What is wrong with a value. */
typedef enum { RIGHT, NO_VALUE, TOO_LARGE } verdict_t;

static verdict_t read_amount(void *member, form_t form, const char *value)
{
    uint64_t number;
    if (!(form == TIME ? read_time : read_bytes)(value, &number))
        return NO_VALUE;
    if (number > (form == BYTES ? UINT64_MAX / 2 : UINT32_MAX))
        return TOO_LARGE;
    if (form == BYTES)
        *(uint64_t *)member = number;
    else
        *(uint32_t *)member = (uint32_t)number;
    return RIGHT;
}

/* Writes the value to the options. */
static verdict_t read_value(qcap_options_t *options, const row_t *row, const char *value)
{
    void *member = (unsigned char *)options + row->offset;
    int place = row->words ? place_of(value, row->words) : -1;
    if (!row->words)
        return read_amount(member, row->form, value);
    if (row->form == CHOICE)
        memcpy(member, &place, sizeof place);
    else
        *(bool *)member = place == 1;
    return place >= 0 ? RIGHT : NO_VALUE;
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
        return qcapint_fail(q, QCAP_E_ARGUMENT, "there is no network of that name");
    memcpy(network, value, len);
    network[len] = '\0';
    return qcap_set_policy(q, network, colon + 1);
}

static int set_by_text(qcap_t *q, const row_t *row, const char *value)
{
    qcap_options_t options = q->options;
    if (row->form == POLICY)
        return set_policy(q, value);
    switch (read_value(&options, row, value)) {
    case NO_VALUE:
        return qcapint_fail(q, QCAP_E_ARGUMENT, "\"%.60s\" is not %s", value, row->option.values);
    case TOO_LARGE:
        return qcapint_fail(q, QCAP_E_ARGUMENT, "that is too large");
    default:
        return qcap_set_options(q, &options);
    }
}

/* The setting of that name, in any case. */
static const row_t *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strlen(rows[i].option.name) == len && strncasecmp(rows[i].option.name, name, len) == 0)
            return &rows[i];
    return NULL;
}

static int refuse_name(qcap_t *q, const char *setting, size_t len)
{
    qcapint_meant_t meant;
    qcapint_meant_begin(&meant, setting, len);
    for (size_t i = 0; i < ROW_COUNT; i++)
        qcapint_meant_offer(&meant, "", rows[i].option.name);
    return qcapint_fail(q, QCAP_E_NAME, "%.100s: there is no setting of that name%s", setting, qcapint_meant_text(&meant));
}

int qcap_set(qcap_t *q, const char *setting)
{
    char reason[QCAP_ERRBUF_SIZE];
    const char *value = strchr(setting, '=');
    size_t name_len = value ? (size_t)(value - setting) : strlen(setting);
    const row_t *row = find_row(setting, name_len);
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    if (!row)
        return refuse_name(q, setting, name_len);
    if (!value)
        return qcapint_fail(q, QCAP_E_ARGUMENT, "%s: its value is missing, as in %s=%s", setting, row->option.name, row->option.standard);
    status = set_by_text(q, row, value + 1);
    if (status == QCAP_OK)
        return QCAP_OK;
    memcpy(reason, q->error, sizeof reason);
    return qcapint_fail(q, status, "%.100s: %s", setting, reason);
}
