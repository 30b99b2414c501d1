/* wild.c: a spec has a message that begins with a letter for each kind, and rules behind that, which refer to later
 * rules alone, or to themselves in brackets. Letters are few, so that readings compete. */
#include "wild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

#define RULES_MAX 8u

typedef enum {
    KIND_PLAIN,
    KIND_NUMBER,
    KIND_WORD,
    KIND_SIZED,
    KIND_CASES,
    KIND_FIELD,
    KIND_TEXT,
    KIND_COUNTED,
    KIND_ENDED,
    KIND_JOINED,
    KIND_FEEDING,
    KIND_ELSEWHERE
} kind_t;

#define SUBS 4u /* rules that read sub-streams */

typedef struct wild {
    FILE *out;
    uint64_t random;
    unsigned rule_count;
    kind_t kinds[RULES_MAX];
    bool is_datagram; /* there are no streams, nor sides */
    unsigned subs[RULES_MAX]; /* of rules that feed: to which sub-stream */
    bool has_feeds;
    bool is_tame;    /* most alternatives begin with a letter of their own */
    bool has_atomic; /* then there is nothing that cannot stand in an atomic rule */
} wild_t;

static unsigned below(wild_t *w, unsigned count)
{
    return random_below(&w->random, count);
}

static bool often(wild_t *w, unsigned one_in)
{
    return below(w, one_in) == 0;
}

static void write(wild_t *w, const char *text)
{
    fputs(text, w->out);
}

static const char *any_of(wild_t *w, const char *const *texts, unsigned count)
{
    return texts[below(w, count)];
}

/* ---------------------------------------------------------------- expressions */

static void write_terminal(wild_t *w)
{
    static const char *const terminals[] = {"\"a\"", "\"b\"", "\"ab\"",  "%x61-62", "%x61-63",
                                            "\"c\"", "\"-\"", "%s\"B\"", "\"ba\"",  "DIGIT"};
    write(w, any_of(w, terminals, 10));
}

static void write_expression(wild_t *w, unsigned after, unsigned depth);

/* What is read by something else than bytes is announced by one, most of the time: else readings compete there. */
static void write_reference(wild_t *w, unsigned rule)
{
    bool is_control = w->kinds[rule] >= KIND_SIZED && w->kinds[rule] != KIND_FIELD && w->kinds[rule] != KIND_TEXT;
    if (is_control && w->is_tame)
        fprintf(w->out, "\"%c\" ", "#$%"[rule % 3]);
    fprintf(w->out, "r%u", rule);
}

static void write_element(wild_t *w, unsigned after, unsigned depth)
{
    static const char *const repeats[] = {"*", "1*", "2*3", "*2", "2"};
    unsigned way = below(w, depth ? 8 : 3);
    if (way < 2) {
        write_terminal(w);
    } else if (way < 5 && after < w->rule_count) {
        write_reference(w, after + below(w, w->rule_count - after));
    } else if (way == 5 && depth) {
        write(w, "[ ");
        write_expression(w, after, depth - 1);
        write(w, " ]");
    } else if (way == 6 && depth) {
        write(w, any_of(w, repeats, 5));
        write(w, w->is_tame ? "( \"-\" " : "( ");
        write_expression(w, after, depth - 1);
        write(w, " )");
    } else if (depth) {
        write(w, w->is_tame ? "( \"a\" " : "( ");
        write_expression(w, after, depth - 1);
        write(w, w->is_tame ? " / \"b\" " : " / ");
        write_expression(w, after, depth - 1);
        write(w, " )");
    } else {
        write_terminal(w);
    }
}

static void write_expression(wild_t *w, unsigned after, unsigned depth)
{
    for (unsigned n = 1 + below(w, 3); n > 0; n--) {
        write_element(w, after, depth);
        write(w, n > 1 ? " " : "");
    }
}

/* ---------------------------------------------------------------- annotations */

static void write_condition(wild_t *w)
{
    static const char *const conditions[] = {
        "n = 1",    "n > 2", "k = ab", "k", "not n", "on",        "k <> ab and n < 9",
        "n and on", "s",     "s = 2",  "m", "n = m", "n + 1 > 3", "n - 2 = 0"};
    write(w, any_of(w, conditions, 14));
}

/* One that is fed. */
static unsigned any_sub(wild_t *w)
{
    unsigned rule = below(w, w->rule_count);
    while (w->kinds[rule] != KIND_FEEDING)
        rule = (rule + 1) % w->rule_count;
    return w->subs[rule];
}

/* What stands behind an alternative, or a rule. */
static void write_notes(wild_t *w, bool is_rule)
{
    static const char *const settings[] = {"on = true", "on = false",       "m = 2",        "m = n + 1", "s = n",
                                           "reset n",   "reset k m",        "push q n",     "m = 1 unique",
                                           "reset d",   "push kq m key n",  "push kt n key t"};
    const char *between = is_rule ? "\n       ;@ " : "  ;@ ";
    static const char *const names[] = {"emit", "emit", "emit stream", "anomaly odd", "atomic", "cut"};
    bool has_any = false;
    unsigned used = 0;
    for (unsigned n = below(w, 3); n > 0; n--) {
        unsigned which = below(w, 9);
        if (which < 6 && (used >> which & 1))
            continue;
        if ((which < 3 && (used & 7)) || (which == 2 && !often(w, 6)) || (which == 4 && !w->has_atomic))
            continue;
        used |= 1u << which;
        write(w, has_any ? ", " : between);
        has_any = true;
        if (which < 3)
            fprintf(w->out, is_rule ? "%s" : "%s as e%u", names[which], below(w, 3));
        else
            write(w, which < 6 ? names[which] : any_of(w, settings, 12));
    }
    if (w->has_feeds && often(w, 12)) {
        fprintf(w->out, "%sfinish sub%u", has_any ? ", " : between, any_sub(w));
        has_any = true;
    }
    if (is_rule && often(w, 12)) {
        write(w, has_any ? ", local m" : between);
        write(w, has_any ? "" : "local m");
    }
    write(w, "\n");
}

/* ---------------------------------------------------------------- rules */

static void write_plain(wild_t *w, unsigned rule)
{
    unsigned count = 1 + below(w, 3);
    bool is_nested = !w->has_atomic && often(w, 10);
    fprintf(w->out, "r%u = ", rule);
    for (unsigned i = 0; i < count; i++) {
        write(w, i ? "   / " : "");
        if (w->is_tame)
            fprintf(w->out, "\"%c\" ", "abc"[i]);
        write_expression(w, rule + 1, 2);
        if (i + 1 < count || count > 1)
            write_notes(w, false);
    }
    if (is_nested)
        fprintf(w->out, "%s\"(\" *r%u \")\"\n", count > 1 ? "   / " : " / ", rule);
    if (count == 1 && is_nested)
        return;
    write_notes(w, true);
}

static void write_number(wild_t *w, unsigned rule)
{
    static const char *const numbers[] = {"1*2DIGIT  ;@ n = decimal", "DIGIT  ;@ m = decimal",
                                          "1*3HEXDIG  ;@ n = hex",    "1*DIGIT  ;@ n = decimal unique",
                                          "1*2DIGIT  ;@ s = decimal", "%x00-09  ;@ n = u8",
                                          "%x00 %x00-03  ;@ n = be16"};
    fprintf(w->out, "r%u = %s%s\n", rule, any_of(w, numbers, 7), often(w, 3) ? ", emit" : "");
}

static void write_sized(wild_t *w, unsigned rule)
{
    static const char *const sizes[] = {"length n", "length n + 1", "length m",
                                        "length 3", "until close",  "length n * 2 - 1"};
    static const char *const bodies[] = {"*OCTET", "*%x61-63", "1*3OCTET"};
    const char *const emits[] = {"", ", emit", ", emit stream"};
    fprintf(w->out, "r%u = ", rule);
    if (often(w, 2))
        write(w, any_of(w, bodies, 3));
    else
        write_expression(w, rule + 1, 2);
    fprintf(w->out, "  ;@ %s%s\n", any_of(w, sizes, often(w, 3) ? 6 : 1), any_of(w, emits, 3));
}

static void write_cases(wild_t *w, unsigned rule)
{
    unsigned count = 2 + below(w, 2);
    fprintf(w->out, "r%u = ", rule);
    for (unsigned i = 0; i < count; i++) {
        write(w, i ? "   / " : "");
        write_expression(w, rule + 1, 1);
        if (i + 1 < count || often(w, 3)) {
            write(w, "  ;@ when ");
            write_condition(w);
        } else if (often(w, 4)) {
            write(w, "  ;@ anomaly neither");
        }
        write(w, "\n");
    }
    write(w, often(w, 4) ? "       ;@ emit\n" : "");
}

static void write_field(wild_t *w, unsigned rule)
{
    fprintf(w->out, "r%u = name%u \"=\" value%u  ;@ emit, refine value%u by name%u: ab=typed%u ba=other%u%s\n", rule,
            rule, rule, rule, rule, rule, rule, often(w, 2) ? "!" : "");
    fprintf(w->out, "name%u = 1*%%x61-63  ;@ emit\nvalue%u = *%%x21-7E%s\n", rule, rule,
            often(w, 2) ? "  ;@ emit" : "");
    fprintf(w->out, "typed%u = ", rule);
    write_expression(w, rule + 1, 1);
    fprintf(w->out, "%s\nother%u = 1*2DIGIT  ;@ emit, m = decimal\n", often(w, 2) ? "  ;@ emit" : "", rule);
}

/* A value that is put together from parts, wherever they stand. */
static void write_joined(wild_t *w, unsigned rule)
{
    static const char *const parts[] = {"1*%x61-63", "*%x61-62", "1*2%x61-63  ;@ emit", "1*DIGIT  ;@ n = decimal"};
    fprintf(w->out, "r%u = part%u *( \"%s\" part%u )", rule, rule, often(w, 2) ? "," : "-", rule);
    if (!w->has_atomic && often(w, 4))
        fprintf(w->out, " [ \"(\" *part%u \")\" ]", rule);
    fprintf(w->out, "  ;@ emit joined \"%s\" part%u\n", often(w, 3) ? "" : "+", rule);
    fprintf(w->out, "part%u = %s\n", rule, any_of(w, parts, 4));
}

/* Bytes for a sub-stream, perhaps in a coding. */
static void write_feeding(wild_t *w, unsigned rule)
{
    static const char *const extents[] = {"length n", "length 3", "length m", "until \"!\"", "until LF"};
    static const char *const codings[] = {", decode unmask(m)", ", decode base64", ", decode dot-unstuff", ", decode by d"};
    static const char *const bodies[] = {"*%x61-63", "1*3%x61-63", "*( \"a\" *\"-\" \"b\" )", "*( 1*%x61-62 \"-\" )"};
    bool has_extent = !often(w, 4);
    fprintf(w->out, "r%u = %s  ;@ feed %ssub%u", rule, has_extent ? "*OCTET" : any_of(w, bodies, 4),
            often(w, 6) ? "datagram " : "", w->subs[rule]);
    if (has_extent)
        fprintf(w->out, ", %s", any_of(w, extents, 5));
    if (often(w, 4))
        write(w, any_of(w, codings, 4));
    write(w, often(w, 3) ? ", emit stream\n" : often(w, 3) ? ", emit\n" : "\n");
}

/* Something that stands elsewhere in the datagram. */
static void write_elsewhere(wild_t *w, unsigned rule)
{
    static const char *const places[] = {"at 1", "at n", "at m", "at n + 1", "at 3"};
    fprintf(w->out, "r%u = ", rule);
    if (often(w, 2))
        write(w, "*%x61-63  ;@ emit, ");
    else {
        write_expression(w, rule + 1, 1);
        write(w, "  ;@ ");
    }
    fprintf(w->out, "%s\n", any_of(w, places, 5));
}

static void write_rule(wild_t *w, unsigned rule)
{
    static const char *const texts[] = {"1*%x61-62  ;@ emit, t = bytes", "1*5%x61-63  ;@ t = bytes",
                                        "DQUOTE *( %x61-63 / \"\\\" %x61-63 ) DQUOTE  ;@ t = unquote, emit"};
    static const char *const endings[] = {"*OCTET  ;@ until \"ab\"",
                                          "*OCTET  ;@ until t, emit stream",
                                          "*%x61-63  ;@ until \"-\", emit",
                                          "*OCTET  ;@ until line \".\" CRLF, emit",
                                          "*( \"a\" / \"b\" )  ;@ until %x61 t",
                                          "*OCTET  ;@ until LF"};
    static const char *const words[] = {"1*%x61-63  ;@ k = keyword", "1*2%x61-62  ;@ emit, k = keyword"};
    switch (w->kinds[rule]) {
    case KIND_PLAIN:
        write_plain(w, rule);
        break;
    case KIND_NUMBER:
        write_number(w, rule);
        break;
    case KIND_WORD:
        fprintf(w->out, "r%u = %s\n", rule, any_of(w, words, 2));
        break;
    case KIND_SIZED:
        write_sized(w, rule);
        break;
    case KIND_CASES:
        write_cases(w, rule);
        break;
    case KIND_FIELD:
        write_field(w, rule);
        break;
    case KIND_TEXT:
        fprintf(w->out, "r%u = %s\n", rule, any_of(w, texts, 3));
        break;
    case KIND_ENDED:
        fprintf(w->out, "r%u = %s\n", rule, any_of(w, endings, 6));
        break;
    case KIND_JOINED:
        write_joined(w, rule);
        break;
    case KIND_FEEDING:
        write_feeding(w, rule);
        break;
    case KIND_ELSEWHERE:
        write_elsewhere(w, rule);
        break;
    case KIND_COUNTED:
        fprintf(w->out, "r%u = *( ", rule);
        write_expression(w, rule + 1, 1);
        fprintf(w->out, " )  ;@ count %s%s\n", often(w, 3) ? "s" : "n", often(w, 2) ? ", emit" : "");
        break;
    }
}

/* Messages that set the registers, and leave something in the queue. */
static void write_settings(wild_t *w)
{
    write(w, "settings = \"n\" setn LF / \"m\" setm LF / \"k\" setk LF / \"t\" sett LF / \"s\" sets LF / \"d\" setd LF / on / push\n"
             "setn = 1*2DIGIT  ;@ n = decimal\nsetm = DIGIT  ;@ m = decimal\nsetk = 1*%x61-63  ;@ k = keyword\n"
             "sett = 1*%x61-63  ;@ t = bytes\nsets = DIGIT  ;@ s = decimal\non = \"o\" LF  ;@ on = true\n"
             "setd = 1*( ALPHA / DIGIT )  ;@ d = keyword\n"
             "push = \"q\" LF  ;@ push q n, push kq m key n, push kt n key t\n");
}

/* What reads sub-streams: by themselves, so that what they do does not depend on when the other side is read. */
static void write_subs(wild_t *w)
{
    write(w, "sub0 = *( subword \"-\" )\nsubword = 1*%x61-63  ;@ emit\n"
             "sub1 = *( subsize subbody )\nsubsize = DIGIT  ;@ m = decimal\n"
             "subbody = *OCTET  ;@ length m, emit stream\n"
             "sub2 = *( subline LF )  ;@ emit\nsubline = *%x20-7E  ;@ emit stream\n"
             "sub3 = *( subround / \"[\" subfeed \"]\" )\nsubfeed = *%x61-63  ;@ feed sub0\nsubround = \"(\" *( %x61-63 / subround ) \")\"  ;@ emit");
    write(w, "\n");
}

/* What a side says: each kind of message has a letter of its own, most of the time, and ends with a line end. */
static void write_message(wild_t *w, const char *name, const char *letters)
{
    unsigned count = 2 + below(w, 3);
    fprintf(w->out, "%s = ", name);
    for (unsigned i = 0; i < count; i++) {
        fprintf(w->out, "%s\"%c\" ", i ? "   / " : "", letters[often(w, 8) ? 0 : i]);
        for (unsigned n = 1 + below(w, 3); n > 0; n--) {
            bool is_optional = often(w, 4);
            write(w, is_optional ? "[ " : "");
            write_reference(w, below(w, w->rule_count));
            write(w, is_optional ? " ] " : " ");
        }
        write(w, "LF");
        write_notes(w, false);
    }
    write_notes(w, true);
}

/* The roots: a conversation's, or a datagram. */
static void write_roots(wild_t *w, bool has_server, bool has_heading)
{
    if (w->is_datagram) {
        write(w, ";@ datagram = settings / message\n");
        return;
    }
    fprintf(w->out, ";@ client = *( %ssettings / message )\n", has_heading ? "heading / " : "");
    write(w, has_server ? ";@ server = *answer\n" : "");
    write(w, has_heading ? "heading = \"==\" 1*%x61-63 LF  ;@ resync, emit\n" : "");
}

char *wild_spec(uint64_t seed)
{
    static const kind_t kinds[] = {KIND_PLAIN, KIND_NUMBER,  KIND_WORD,  KIND_TEXT,   KIND_JOINED,  KIND_SIZED,
                                   KIND_CASES, KIND_FIELD,   KIND_ENDED, KIND_COUNTED, KIND_FEEDING, KIND_ELSEWHERE};
    static const char *const pops[] = {", pop q m", ", pop kq m key n", ", pop kt n key t", ""};
    char *text = NULL;
    size_t len;
    wild_t w = {.out = open_memstream(&text, &len), .random = seed};
    w.is_datagram = often(&w, 6);
    bool has_server = often(&w, 3) && !w.is_datagram, has_heading = often(&w, 2);
    w.is_tame = !often(&w, 4);
    w.has_atomic = often(&w, 3);
    w.rule_count = 3 + below(&w, RULES_MAX - 3);
    for (unsigned i = 0; i < w.rule_count; i++) {
        w.kinds[i] = often(&w, 2) ? kinds[below(&w, w.has_atomic ? 5 : w.is_datagram ? 12 : 11)] : KIND_PLAIN;
        w.has_feeds |= w.kinds[i] == KIND_FEEDING;
        w.subs[i] = below(&w, SUBS);
    }
    write(&w,
          ";@ protocol wild \"Wild\"\n;@ register n : uint\n;@ register m : uint\n;@ register on : flag\n"
          ";@ register k : keyword(a ab abc)\n;@ register t : bytes(4)\n;@ shared s : uint\n;@ queue q(2) : uint\n"
          ";@ register d : keyword(base64 identity gzip nothing)\n;@ queue kq(2) : uint\n;@ queue kt(3) : uint\n");
    write_roots(&w, has_server, has_heading);
    write_settings(&w);
    if (w.has_feeds)
        write_subs(&w);
    write_message(&w, "message", "xyzw");
    if (has_server) {
        write_message(&w, "reply", "uvop");
        fprintf(w.out, "answer = reply  ;@ emit%s\n", any_of(&w, pops, 4));
    }
    for (unsigned i = 0; i < w.rule_count; i++)
        write_rule(&w, i);
    fclose(w.out);
    return text;
}
