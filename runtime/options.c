/* options.c: settings as text: qcap_set() and the list of what can be set.
 *
 * In: "NAME=VALUE". Out: a call of the function that sets it; a value that makes no sense is refused with the values that do. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handle.h"

/* How a value reads, and what it sets. Returns a status; the text of QCAP_E_ARGUMENT is the caller's. */
typedef int (*set_t)(qcap_t *q, const char *value, int which);

/* One of several words: its place among them, or -1. */
static int word(const char *value, const char *const words[], int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -1;
}

/* A number and its unit, one of `units`, that `factors` belong to. Returns false if it is something else, or too large. */
static bool number(const char *value, const char *const units[], const uint64_t factors[], int count, uint64_t *result)
{
    char *unit;
    if (*value < '0' || *value > '9')
        return false;
    unsigned long long amount = strtoull(value, &unit, 10);
    int at = word(unit, units, count);
    if (at < 0 || amount > UINT64_MAX / 2 / factors[at])
        return false;
    *result = amount * factors[at];
    return true;
}

static bool bytes_of(const char *value, uint64_t *result)
{
    static const char *const units[] = {"", "K", "M", "G"};
    static const uint64_t factors[] = {1, (uint64_t)1 << 10, (uint64_t)1 << 20, (uint64_t)1 << 30};
    return number(value, units, factors, 4, result);
}

static int set_memory(qcap_t *q, const char *value, int which)
{
    uint64_t bytes;
    (void)which;
    return bytes_of(value, &bytes) ? qcap_set_memory(q, bytes) : QCAP_E_ARGUMENT;
}

static int set_wait_limit(qcap_t *q, const char *value, int which)
{
    uint64_t bytes;
    (void)which;
    return bytes_of(value, &bytes) ? qcap_set_wait_limit(q, bytes) : QCAP_E_ARGUMENT;
}

static int set_timeout(qcap_t *q, const char *value, int which)
{
    static const char *const units[] = {"ms", "s", "m", "h"};
    static const uint64_t factors[] = {1, 1000, 60000, 3600000};
    uint64_t ms;
    if (!number(value, units, factors, 4, &ms) || ms > UINT32_MAX)
        return QCAP_E_ARGUMENT;
    return qcap_set_timeout(q, (qcap_timeout_t)which, (uint32_t)ms);
}

static int set_checksums(qcap_t *q, const char *value, int which)
{
    static const char *const words[] = {"auto", "verify", "ignore"}; /* ORDER qcap_checksums_t */
    int mode = word(value, words, 3);
    (void)which;
    return mode < 0 ? QCAP_E_ARGUMENT : qcap_set_checksums(q, (qcap_checksums_t)mode);
}

static int set_urgent(qcap_t *q, const char *value, int which)
{
    static const char *const words[] = {"inline", "out-of-band"}; /* ORDER qcap_urgent_t */
    int urgent = word(value, words, 2);
    (void)which;
    return urgent < 0 ? QCAP_E_ARGUMENT : qcap_set_urgent(q, (qcap_urgent_t)urgent);
}

static int set_ipv6_overlap(qcap_t *q, const char *value, int which)
{
    static const char *const words[] = {"policy", "discard"};
    int is_strict = word(value, words, 2);
    (void)which;
    return is_strict < 0 ? QCAP_E_ARGUMENT : qcap_set_ipv6_overlap_strict(q, is_strict);
}

/* The policy's name, behind the network if there is one: an IPv6 address has colons too, a name has none. */
static int set_policy(qcap_t *q, const char *value, int which)
{
    char network[64];
    const char *colon = strrchr(value, ':');
    (void)which;
    if (!colon)
        return qcap_set_policy(q, NULL, value);
    size_t len = (size_t)(colon - value);
    if (len >= sizeof network)
        return QCAP_E_ARGUMENT;
    memcpy(network, value, len);
    network[len] = '\0';
    return qcap_set_policy(q, network, colon + 1);
}

static const struct {
    qcap_option_t option;
    set_t set;
    int which; /* time-out */
} options[] = {
    {{"memory", "512M", "the most memory: bytes, or K, M, G"}, set_memory, 0},
    {{"checksums", "auto", "wrong ones discard a packet: auto (of senders that had right ones), verify, ignore"}, set_checksums, 0},
    {{"tcp.policy", "linux", "who wins an overlap, of IP fragments too: POLICY, or NETWORK:POLICY"}, set_policy, 0},
    {{"tcp.urgent", "inline", "the urgent byte: inline, out-of-band"}, set_urgent, 0},
    {{"ipv6.overlap", "policy", "fragments that overlap: policy, discard"}, set_ipv6_overlap, 0},
    {{"wait", "1M", "most bytes of a direction that wait for the other one: bytes, or K, M, G"}, set_wait_limit, 0},
#define X(name, ms, text) {{"timeout." #name, #ms "ms", text ": ms, s, m, h"}, set_timeout, QCAP_TIMEOUT_##name},
    QCAP_TIMEOUT_MAP(X)
#undef X
};

#define OPTION_COUNT (sizeof options / sizeof *options)

const qcap_option_t *qcap_option(size_t index)
{
    return index < OPTION_COUNT ? &options[index].option : NULL;
}

int qcap_set(qcap_t *q, const char *setting)
{
    const char *value = strchr(setting, '=');
    size_t len = value ? (size_t)(value - setting) : strlen(setting);
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const qcap_option_t *option = &options[i].option;
        if (strlen(option->name) != len || strncasecmp(option->name, setting, len) != 0)
            continue;
        q->error[0] = '\0';
        status = value ? options[i].set(q, value + 1, options[i].which) : QCAP_E_ARGUMENT;
        return status && !q->error[0] ? qcapint_fail(q, status, "\"%s\": %s is %s", setting, option->name, option->text) : status;
    }
    return qcapint_fail(q, QCAP_E_NAME, "\"%s\": there is no setting of that name", setting);
}
