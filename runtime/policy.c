/* policy.c: who wins where fragments or segments overlap.
 *
 * Operating systems put overlapping pieces together differently, and an attacker who knows how can show one content to
 * the receiver and another to whoever listens. So who wins is data, chosen by the receiver's address: a table with a
 * bit for each relation of a newcomer N, with the extent it arrived with, to what is left of a stored piece S.
 *
 *     how N begins:   before S      with S        behind S
 *     how N ends:     <   =   >     <   =   >     <   =   >
 *     linux, IP       n   n   n     n   n   n     s   s   s      N.begin <= S.begin
 *
 * The names stand for systems of their day; defrag.c and tcp.c apply the rules. */
#include "policy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"

/* ---------------------------------------------------------------- the rules */

#define NEVER "sss sss sss"
#define ALWAYS "nnn nnn nnn"
#define BEGINS_BEFORE "nnn sss sss"                   /* N.begin < S.begin */
#define BEGINS_BEFORE_OR_WITH "nnn nnn sss"           /* N.begin <= S.begin */
#define BEGINS_BEFORE_OR_IS_LONGER "nnn ssn sss"      /* N.begin < S.begin, or equal and N.end > S.end */
#define BEGINS_BEFORE_OR_IS_NOT_SHORTER "nnn snn sss" /* N.begin < S.begin, or equal and N.end >= S.end */
#define SURROUNDS_BOTH "ssn sss sss"                  /* N.begin < S.begin and N.end > S.end */
#define BEGINS_BEFORE_ENDS_WITH "snn sss sss"         /* N.begin < S.begin and N.end >= S.end */
#define ENDS_BEHIND_OR_COVERS "snn snn ssn"           /* N.end > S.end, or equal and N.begin <= S.begin */

/* bsd-right differs from bsd for IP only; windows-old is what Windows did before Vista. Behind the known end of a datagram Linux
 * takes nothing; BSD would wait for ever; to whoever fills holes as RFC 815, 3 does, such bytes fill none. */
static const qcap_policy_t builtin[] = {
    {"first", NEVER, NEVER, "trim"},
    {"last", ALWAYS, ALWAYS, "trim"},
    {"bsd", BEGINS_BEFORE, BEGINS_BEFORE, "refuse"},
    {"bsd-right", ENDS_BEHIND_OR_COVERS, BEGINS_BEFORE, "refuse"},
    {"linux", BEGINS_BEFORE_OR_WITH, BEGINS_BEFORE_OR_IS_LONGER, "refuse"},
    {"linux-old", BEGINS_BEFORE_OR_WITH, BEGINS_BEFORE_OR_IS_NOT_SHORTER, "refuse"},
    {"windows", SURROUNDS_BOTH, NEVER, "trim"},
    {"windows-old", SURROUNDS_BOTH, BEGINS_BEFORE, "trim"},
    {"macos", NEVER, BEGINS_BEFORE, "refuse"},
    {"solaris", BEGINS_BEFORE_ENDS_WITH, ENDS_BEHIND_OR_COVERS, "trim"},
    {"hp-ux", NEVER, ENDS_BEHIND_OR_COVERS, "trim"},
};

/* Reads a rule: nine letters 'n' or 's', blanks between them. Returns false if it is something else. */
static bool compile_rule(const char *text, qcapint_rule_t *rule)
{
    unsigned bit = 0;
    *rule = 0;
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if ((*text != 'n' && *text != 's') || bit == 9)
            return false;
        if (*text == 'n')
            *rule = (qcapint_rule_t)(*rule | 1u << bit);
        bit++;
    }
    return bit == 9;
}

static bool compile(const qcap_policy_t *policy, qcapint_policy_t *compiled)
{
    memset(compiled, 0, sizeof *compiled);
    if (strlen(policy->name) >= sizeof compiled->name)
        return false;
    strcpy(compiled->name, policy->name);
    compiled->trims_ends = policy->ends && strcmp(policy->ends, "trim") == 0;
    if (policy->ends && !compiled->trims_ends && strcmp(policy->ends, "refuse") != 0)
        return false;
    return compile_rule(policy->fragments, &compiled->fragments) && compile_rule(policy->segments, &compiled->segments);
}

int qcapint_policy_find(const qcapint_policies_t *policies, const char *name, qcapint_policy_t *policy)
{
    for (const qcapint_policy_t *added = policies->added; added; added = added->next)
        if (strcmp(added->name, name) == 0) {
            *policy = *added;
            return QCAP_OK;
        }
    for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++)
        if (strcmp(builtin[i].name, name) == 0)
            return compile(&builtin[i], policy) ? QCAP_OK : QCAP_E_NAME;
    return QCAP_E_NAME;
}

/* ---------------------------------------------------------------- who uses which */

void qcapint_policies_init(qcapint_policies_t *policies)
{
    memset(policies, 0, sizeof *policies);
    qcapint_policy_find(policies, "linux", &policies->standard);
}

void qcapint_policies_fini(qcapint_policies_t *policies, qcapint_budget_t *budget)
{
    while (policies->added) {
        qcapint_policy_t *policy = policies->added;
        policies->added = policy->next;
        qcapint_budget_free(budget, policy, sizeof *policy);
    }
    while (policies->networks) {
        qcapint_policy_network_t *network = policies->networks;
        policies->networks = network->next;
        qcapint_budget_free(budget, network, sizeof *network);
    }
}

static bool contains(const qcapint_policy_network_t *network, const qcap_endpoint_t *end)
{
    unsigned whole = network->prefix_len / 8, rest = network->prefix_len % 8;
    if (network->network.version != end->version || memcmp(network->network.address, end->address, whole) != 0)
        return false;
    return rest == 0 || (network->network.address[whole] ^ end->address[whole]) >> (8 - rest) == 0;
}

const qcapint_policy_t *qcapint_policy_of(const qcapint_policies_t *policies, const qcap_endpoint_t *receiver)
{
    for (const qcapint_policy_network_t *network = policies->networks; network; network = network->next)
        if (contains(network, receiver))
            return &network->policy;
    return &policies->standard;
}

/* Reads "ADDRESS" or "ADDRESS/BITS". */
static bool parse_network(const char *text, qcapint_policy_network_t *network)
{
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    bool is_ipv6 = strchr(address, ':') != NULL;
    network->network.version = is_ipv6 ? 6 : 4;
    if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address, network->network.address) != 1)
        return false;
    network->prefix_len = is_ipv6 ? 128 : 32;
    if (text[len] == '\0')
        return true;
    char *end;
    unsigned long bits = strtoul(text + len + 1, &end, 10);
    if (end == text + len + 1 || *end || bits > network->prefix_len)
        return false;
    network->prefix_len = (unsigned)bits;
    return true;
}

int qcap_policy_add(qcap_t *q, const qcap_policy_t *policy)
{
    qcapint_policy_t compiled;
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    if (!compile(policy, &compiled))
        return qcapint_fail(q, QCAP_E_ARGUMENT, "policy %s: each rule has nine letters, n or s; ends are \"refuse\" or \"trim\"",
                            policy->name);
    qcapint_policy_t *added = qcapint_budget_alloc(&q->budget, sizeof *added);
    if (!added)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a policy");
    *added = compiled;
    added->next = q->policies.added;
    q->policies.added = added;
    return QCAP_OK;
}

/* Puts the network before those that are not narrower, so that the first one that contains an address is the
 * narrowest, and of two settings for one network the later one. */
static void insert(qcapint_policies_t *policies, qcapint_policy_network_t *network)
{
    qcapint_policy_network_t **place = &policies->networks;
    while (*place && (*place)->prefix_len > network->prefix_len)
        place = &(*place)->next;
    network->next = *place;
    *place = network;
}

int qcap_set_policy(qcap_t *q, const char *network, const char *name)
{
    qcapint_policy_t policy;
    qcapint_policy_network_t parsed = {0};
    int status = qcapint_before_begin(q);
    if (status)
        return status;
    if (qcapint_policy_find(&q->policies, name, &policy))
        return qcapint_fail(q, QCAP_E_NAME, "no overlap policy is named \"%s\"", name);
    if (!network) {
        q->policies.standard = policy;
        return QCAP_OK;
    }
    if (!parse_network(network, &parsed))
        return qcapint_fail(q, QCAP_E_ARGUMENT, "\"%s\" is no network: write 10.0.0.0/8 or 2001:db8::/32", network);
    qcapint_policy_network_t *added = qcapint_budget_alloc(&q->budget, sizeof *added);
    if (!added)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a policy");
    *added = parsed;
    added->policy = policy;
    insert(&q->policies, added);
    return QCAP_OK;
}
