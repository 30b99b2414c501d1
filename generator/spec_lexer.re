/* spec_lexer.re: from the text of a spec to tokens.
 *
 * There are two languages. Rules are ABNF as RFC 5234 (4) and RFC 7405 print it, with the `#` of RFC 9110 (5.6.1), and
 * with two signs of older RFCs (2326 is one): `|` between alternatives, `_` in names. Annotations are words, numbers and
 * operators. Comments are what joins them: lexing the rules puts comments aside, and an annotation is lexed when someone
 * asks for it. `client = …` and `prose …` are directives that contain a piece of ABNF: there the lexer reads rules up to
 * the next comma.
 *
 * Neither lines nor indentation end a rule: a name followed by `=` begins the next one, since ABNF has no other use for
 * that sign. So specs may be indented by any margin, and CRLF and LF are the same.
 *
 * What is wrong here is reported here, and left out or replaced; the token behind it is marked, so that the parser does
 * not complain a second time. */
#include "spec_lexer.h"

#include <ctype.h>
#include <string.h>

#include "ast.h"
#include "coding.h"
#include "map.h"
#include "source.h"
#include "spec_parser.h"

typedef struct lexer {
    arena_t *arena;               /* where texts of tokens go */
    diag_t *diag;                 /* where complaints go */
    const source_t *source;       /* what places are places in */
    tokens_t *tokens;             /* what has been read */
    comments_t *comments;         /* of rules; NULL in an annotation */
    const unsigned char *text;    /* NUL-terminated: all of the source, or a copy of one comment */
    const unsigned char *cursor;  /* the next byte to read */
    const unsigned char *limit;   /* the NUL behind the last byte */
    const unsigned char *marker;  /* where to go back to: re2c's */
    const unsigned char *start;   /* of the token being read */
    size_t base;                  /* offset of `text` in the source */
    unsigned depth;               /* parentheses that are open */
    bool is_first;                /* no token yet on this line */
    bool is_directive;            /* reading a directive: `client =` is followed by ABNF */
    bool is_abnf;                 /* reading rules, not an annotation's words */
    bool has_left_out;            /* something before the next token was wrong */
    size_t stray_end;             /* offset behind the last byte that is no token: one message for a run of them */
} lexer_t;

/*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = "lexer->cursor";
    re2c:define:YYLIMIT = "lexer->limit";
    re2c:define:YYMARKER = "lexer->marker";
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    digit  = [0-9];
    hex    = [0-9a-fA-F];
    name   = [a-zA-Z] [a-zA-Z0-9_-]*;
    blank  = [ \t]+;
    string = ["] [\x20\x21\x23-\x7e]* ["];
    open_string = ["] [^"\r\n]* ["]?;
    prose  = "<" [^>\r\n]* ">" | "<" [^<>\r\n]+ ("<\">" [^<>\r\n]*)+ ">"; /* `<any TEXT except <">>` */
    long_prose = "<" [^<>=;\r\n]+ ("\r"? "\n" [ \t]+ [^<>=;\r\n]+)+ ">";
    value  = "%" ( [xX] hex+    ( ("." hex+)+   | "-" hex+ )?
                 | [dD] digit+  ( ("." digit+)+ | "-" digit+ )?
                 | [bB] [01]+   ( ("." [01]+)+  | "-" [01]+ )? );
*/

/* ---------------------------------------------------------------- making tokens */

static place_t place_of(const lexer_t *lexer)
{
    return (place_t){.source = lexer->source,
                     .offset = (unsigned)(lexer->base + (size_t)(lexer->start - lexer->text)),
                     .len = (unsigned)(lexer->cursor - lexer->start)};
}

/* A token whose text is what was read, but for `head` bytes before it and `tail` bytes behind it. */
static token_t *add_token(lexer_t *lexer, int kind, size_t head, size_t tail)
{
    size_t len = (size_t)(lexer->cursor - lexer->start) - head - tail;
    token_t token = {.kind = kind,
                     .place = place_of(lexer),
                     .text = arena_copy(lexer->arena, (const char *)lexer->start + head, len),
                     .len = len,
                     .is_first = lexer->is_first,
                     .is_behind_mistake = lexer->has_left_out};

    lexer->is_first = lexer->has_left_out = false;
    vec_push(lexer->arena, lexer->tokens, token);
    return &lexer->tokens->items[lexer->tokens->count - 1];
}

static void add(lexer_t *lexer, int kind)
{
    add_token(lexer, kind, 0, 0);
}

/* An opening sign. Later stages recurse over what they enclose, so there is a limit; the rest is not read then. */
static void add_open(lexer_t *lexer, int kind)
{
    if (++lexer->depth > SPEC_DEPTH_MAX) {
        diag_error(lexer->diag, place_of(lexer), "nested more than %d deep", SPEC_DEPTH_MAX);
        lexer->cursor = lexer->limit;
        lexer->has_left_out = true;
        return;
    }
    add(lexer, kind);
}

static void add_close(lexer_t *lexer, int kind)
{
    lexer->depth -= lexer->depth > 0;
    add(lexer, kind);
}

/* Older RFCs define `<">` in so many words, beside CR, LF and SP. */
static void name_quote(token_t *prose)
{
    if (prose->kind != TOKEN_PROSE || strcmp(prose->text, AST_QUOTE) != 0)
        return;
    prose->kind = TOKEN_NAME;
    prose->text = AST_QUOTE_RULE;
}

/* `=` or `=/`: the name before it begins a rule, unless this is an annotation's ABNF, or the sign begins a line below. */
static void add_defined(lexer_t *lexer, int kind)
{
    tokens_t *tokens = lexer->tokens;
    token_t *name = tokens->count ? &tokens->items[tokens->count - 1] : NULL;

    if (lexer->comments && name)
        name_quote(name);
    if (lexer->comments && name && name->kind == TOKEN_NAME && (name->is_first || !lexer->is_first)) {
        name->kind = TOKEN_RULE_NAME;
        if (!name->is_first)
            diag_error(lexer->diag, name->place, "a rule begins on a line of its own");
    }
    lexer->depth = 0;
    add(lexer, kind);
}

static void stray(lexer_t *lexer)
{
    place_t place = place_of(lexer);
    unsigned byte = *lexer->start;

    if (place.offset != lexer->stray_end) {
        if (byte > 0x20 && byte < 0x7f)
            diag_error(lexer->diag, place, "`%c` has no meaning here", (int)byte);
        else
            diag_error(lexer->diag, place, "a byte %%x%02X has no meaning here", byte);
    }
    lexer->stray_end = (size_t)place.offset + place.len;
    lexer->has_left_out = true;
}

static void open_string(lexer_t *lexer)
{
    bool is_closed = lexer->cursor - lexer->start > 1 && lexer->cursor[-1] == '"';

    diag_error(lexer->diag, place_of(lexer),
               is_closed ? "only printable ASCII stands in quotes: write other bytes as %%x values"
                         : "the closing quote is missing");
    add_token(lexer, TOKEN_STRING, 1, is_closed ? 1 : 0);
}

/* ---------------------------------------------------------------- numbers */

static unsigned digit_value(unsigned char digit)
{
    return isdigit(digit) ? digit - (unsigned)'0' : (digit | 0x20u) - (unsigned)'a' + 10;
}

/* Digits from *at on, which it moves behind them; more than `max` is `max` + 1. */
static uint64_t read_number(const unsigned char **at, unsigned base, uint64_t max)
{
    uint64_t number = 0;

    for (; isxdigit(**at) && digit_value(**at) < base; (*at)++) {
        unsigned digit = digit_value(**at);
        if (number > max || number > (max - digit) / base)
            number = max + 1;
        else
            number = number * base + digit;
    }
    return number;
}

static void add_number(lexer_t *lexer, unsigned base, size_t prefix)
{
    const uint64_t max = UINT64_MAX - 1;
    const unsigned char *at = lexer->start + prefix;
    uint64_t number = read_number(&at, base, max);

    if (number > max)
        diag_error(lexer->diag, place_of(lexer), "the number does not fit 64 bits");
    add_token(lexer, TOKEN_NUMBER, 0, 0)->number = number;
}

/* `3`, `1*2`, `*`, `1#`: how often. */
static void add_repeat(lexer_t *lexer, int kind)
{
    const uint64_t max = REPEAT_UNBOUNDED - 1;
    const unsigned char *at = lexer->start;
    uint64_t low = read_number(&at, 10, max), high = low;
    bool is_open = false;

    if (at < lexer->cursor) { /* there is a sign, and perhaps a number behind it */
        is_open = ++at == lexer->cursor;
        high = read_number(&at, 10, max);
    }
    token_t *token = add_token(lexer, kind, 0, 0);
    token->low = (unsigned)low;
    token->high = is_open ? REPEAT_UNBOUNDED : (unsigned)high;
    if (low > max || high > max)
        diag_error(lexer->diag, token->place, "more than %u times is too often", REPEAT_UNBOUNDED - 1);
    else if (token->low > token->high)
        diag_error(lexer->diag, token->place, "%u times at least, %u at most", token->low, token->high);
}

static void report_surrogate(lexer_t *lexer)
{
    diag_error(lexer->diag, place_of(lexer), "surrogates, %%xD800 to %%xDFFF, are no characters: they have no bytes");
}

/* The numbers of a value as the text of a string: bytes, or, if one is none, code points all of them (RFC 5234, 2.3
 * leaves the encoding to the protocol; RFC 8259 and most others mean UTF-8). */
static void add_value_string(lexer_t *lexer, const uint64_t *numbers, size_t count)
{
    unsigned char *bytes = arena_alloc(lexer->arena, count * CODE_POINT_LEN_MAX + 1);
    size_t len = 0;
    bool is_bytes = true;

    for (size_t i = 0; i < count; i++)
        is_bytes &= numbers[i] <= 0xff;
    for (size_t i = 0; i < count; i++) {
        if (is_bytes)
            bytes[len++] = (unsigned char)numbers[i];
        else
            len += coding_encode(numbers[i], bytes + len);
        if (!coding_is_code_point(numbers[i]))
            report_surrogate(lexer);
    }
    token_t *token = add_token(lexer, TOKEN_STRING, 0, 0);
    token->text = (const char *)bytes;
    token->len = len;
    token->is_case_sensitive = true;
}

/* Bytes, code points, or numbers of `width` bytes. */
static void add_value_range(lexer_t *lexer, uint64_t low, uint64_t high, unsigned width)
{
    token_t *token = add_token(lexer, TOKEN_SET, 0, 0);

    token->first = low;
    token->last = high;
    token->width = width;
    if (low > high)
        diag_error(lexer->diag, token->place, "the range ends before it begins");
    else if (!width && !coding_is_code_point(low) && !coding_is_code_point(high))
        report_surrogate(lexer);
}

/* Zeros before the digits of a range say how wide its numbers are: %x0000-FFFF is two bytes (RFC 6455, 5.2). 0 if they
 * do not. */
static unsigned range_width(const lexer_t *lexer, const unsigned char *digits)
{
    const unsigned char *sign = memchr(digits, '-', (size_t)(lexer->cursor - digits));
    size_t len = sign ? (size_t)(sign - digits) : 0;
    bool is_wide = (lexer->start[1] | 0x20) == 'x' && len > 2 && len % 2 == 0 && len / 2 <= CODING_LEN_MAX &&
                   memcmp(digits, "00", 2) == 0 && (size_t)(lexer->cursor - sign) == len + 1;

    return is_wide ? (unsigned)len / 2 : 0;
}

/* %x41, %x41-5A, %x0D.0A (RFC 5234, 2.3 and 3.4): a set, or a string of the bytes as they are. */
static void add_value(lexer_t *lexer)
{
    unsigned char letter = lexer->start[1] | 0x20;
    unsigned base = letter == 'x' ? 16 : letter == 'd' ? 10 : 2;
    const unsigned char *at = lexer->start + 2;
    unsigned width = range_width(lexer, at);
    uint64_t max = width ? UINT64_MAX - 1 : CODE_POINT_MAX;
    uint64_t *numbers = arena_alloc(lexer->arena, (size_t)(lexer->cursor - at) * sizeof *numbers);
    size_t count = 0;
    bool is_range = false;

    for (;;) {
        uint64_t number = read_number(&at, base, max);
        if (number > max && !width) {
            diag_error(lexer->diag, place_of(lexer), "a value is a byte, up to %%xFF, or a code point, up to %%x10FFFF");
            number = max;
        }
        numbers[count++] = number;
        if (at == lexer->cursor)
            break;
        is_range = *at++ == '-';
    }
    if (count == 1 || is_range)
        add_value_range(lexer, numbers[0], numbers[count - 1], width);
    else
        add_value_string(lexer, numbers, count);
}

/* Prose of several lines, as in older RFCs: blanks and the ends of lines count as one blank. What could be the next rule, or a
 * comment, is no part of any. */
static void add_long_prose(lexer_t *lexer)
{
    token_t *token = add_token(lexer, TOKEN_PROSE, 1, 1);
    char *text = arena_copy(lexer->arena, token->text, token->len);
    size_t len = 0;

    for (size_t i = 0; i < token->len; i++) {
        bool is_blank = strchr(" \t\r\n", token->text[i]) != NULL;
        if (!is_blank || (len > 0 && text[len - 1] != ' '))
            text[len++] = is_blank ? ' ' : token->text[i];
    }
    text[len] = '\0';
    token->text = text;
    token->len = len;
}

/* ---------------------------------------------------------------- rules */

static void add_comment(lexer_t *lexer)
{
    comment_t comment = {.place = place_of(lexer), .is_first = lexer->is_first};

    comment.is_annotation = comment.place.len > 1 && lexer->start[1] == '@';
    comment.is_directive = comment.is_annotation && (lexer->start == lexer->text || lexer->start[-1] == '\n');
    vec_push(lexer->arena, lexer->comments, comment);
}

/* The next token of a rule. False at the end. */
static bool scan_rule(lexer_t *lexer)
{
    lexer->start = lexer->cursor;
    /*!re2c
        $                       { return false; }
        blank                   { return true; }
        "\r"? "\n"              { lexer->is_first = true; return true; }
        name                    { add(lexer, TOKEN_NAME); return true; }
        ":"? "="                { add_defined(lexer, TOKEN_IS); return true; }
        "=/"                    { add_defined(lexer, TOKEN_ADDS); return true; }
        "/" | "|"               { add(lexer, TOKEN_OR_ELSE); return true; }
        "("                     { add_open(lexer, TOKEN_OPEN); return true; }
        "["                     { add_open(lexer, TOKEN_OPEN_OPTION); return true; }
        ")"                     { add_close(lexer, TOKEN_CLOSE); return true; }
        "]"                     { add_close(lexer, TOKEN_CLOSE_OPTION); return true; }
        digit* "*" digit*       { add_repeat(lexer, TOKEN_REPEAT); return true; }
        digit+                  { add_repeat(lexer, TOKEN_REPEAT); return true; }
        digit* "#" digit*       { add_repeat(lexer, TOKEN_LIST); return true; }
        value                   { add_value(lexer); return true; }
        string                  { add_token(lexer, TOKEN_STRING, 1, 1); return true; }
        "%" [iI] string         { add_token(lexer, TOKEN_STRING, 3, 1); return true; }
        "%" [sS] string         { add_token(lexer, TOKEN_STRING, 3, 1)->is_case_sensitive = true; return true; }
        open_string             { open_string(lexer); return true; }
        prose                   { add_token(lexer, TOKEN_PROSE, 1, 1); return true; }
        long_prose              { add_long_prose(lexer); return true; }
        ";" [^\r\n]*            {
            if (!lexer->comments) /* in an annotation */
                stray(lexer);
            else
                add_comment(lexer);
            return true;
        }
        ","                     {
            if (lexer->comments)
                stray(lexer);
            else
                add(lexer, TOKEN_COMMA);
            lexer->is_abnf = lexer->comments != NULL;
            return true;
        }
        *                       { stray(lexer); return true; }
    */
}

/* The end stands behind the last token, where a message about it is of use. */
static void add_end(lexer_t *lexer)
{
    lexer->start = lexer->cursor;
    place_t place = place_of(lexer);

    if (lexer->tokens->count) {
        const token_t *last = &lexer->tokens->items[lexer->tokens->count - 1];
        place.offset = last->place.offset + last->place.len;
    }
    token_t end = {.place = place, .text = "", .is_behind_mistake = lexer->has_left_out};
    vec_push(lexer->arena, lexer->tokens, end);
}

/* The column of a place, from 0; tabs go to the next multiple of 8. */
static unsigned column_of(const place_t *place)
{
    unsigned column = 0;

    for (size_t i = source_line_begin(place->source, place->offset); i < place->offset; i++)
        column = place->source->text[i] == '\t' ? column / 8 * 8 + 8 : column + 1;
    return column;
}

/* Does the name, alone on its line, mean a rule that begins elsewhere? RFC 4627, 2.2, goes on with a rule like that. */
static bool is_reference(const tokens_t *tokens, size_t name)
{
    bool is_alone = name + 1 == tokens->count || tokens->items[name + 1].is_first;

    for (size_t i = 0; is_alone && i < tokens->count; i++)
        if (tokens->items[i].kind == TOKEN_RULE_NAME && name_equal(tokens->items[i].text, tokens->items[name].text))
            return true;
    return false;
}

/* Lines that go on with a rule are indented more than its name (RFC 5234, 2.2). A name that is not was meant to begin a
 * rule; as part of the one above it would change that without a word. */
static void check_margin(const lexer_t *lexer)
{
    unsigned margin = 0;

    for (size_t i = 0; i < lexer->tokens->count; i++) {
        const token_t *token = &lexer->tokens->items[i];
        if (!token->is_first)
            continue;
        unsigned column = column_of(&token->place);
        if (i == 0 || token->kind == TOKEN_RULE_NAME)
            margin = column;
        else if (column <= margin && token->kind == TOKEN_NAME && !is_reference(lexer->tokens, i))
            diag_error(lexer->diag, token->place, "`%s` is indented no more than the rule above: is its `=` missing?",
                       token->text);
    }
}

void lex_rules(arena_t *arena, const source_t *source, diag_t *diag, tokens_t *tokens, comments_t *comments)
{
    const unsigned char *text = (const unsigned char *)source->text;
    lexer_t lexer = {.arena = arena, .diag = diag, .source = source, .tokens = tokens, .comments = comments};

    lexer.text = lexer.cursor = text;
    lexer.limit = text + source->len;
    lexer.is_first = lexer.is_abnf = true;
    lexer.stray_end = SIZE_MAX;
    if (source->len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark says nothing */
        lexer.cursor += 3;
    while (scan_rule(&lexer))
        continue;
    check_margin(&lexer);
    add_end(&lexer);
}

/* ---------------------------------------------------------------- annotations */

/* Whether so many tokens from here a directive begins. */
static bool is_at_directive(const lexer_t *lexer, size_t back)
{
    size_t count = lexer->tokens->count;

    return lexer->is_directive &&
           (count == back || (count > back && lexer->tokens->items[count - back - 1].kind == TOKEN_COMMA));
}

/* Behind `client =` comes a piece of ABNF. */
static void add_is(lexer_t *lexer)
{
    if (is_at_directive(lexer, 1)) {
        int before = lexer->tokens->items[lexer->tokens->count - 1].kind;
        lexer->is_abnf = before == TOKEN_CLIENT || before == TOKEN_SERVER || before == TOKEN_DATAGRAM;
    }
    add(lexer, TOKEN_IS);
}

/* And behind `prose`. */
static void add_prose(lexer_t *lexer)
{
    lexer->is_abnf = is_at_directive(lexer, 0);
    add(lexer, TOKEN_PROSE_IS);
}

/* The next token of an annotation. False at the end. */
static bool scan_annotation(lexer_t *lexer)
{
    lexer->start = lexer->cursor;
    /*!re2c
        word = [a-zA-Z_] [a-zA-Z0-9_-]*;

        $               { return false; }
        blank           { return true; }

        "protocol"      { add(lexer, TOKEN_PROTOCOL); return true; }
        "import"        { add(lexer, TOKEN_IMPORT); return true; }
        "port"          { add(lexer, TOKEN_PORT); return true; }
        "entered"       { add(lexer, TOKEN_ENTERED); return true; }
        "depth"         { add(lexer, TOKEN_DEPTH); return true; }
        "register"      { add(lexer, TOKEN_REGISTER); return true; }
        "shared"        { add(lexer, TOKEN_SHARED); return true; }
        "queue"         { add(lexer, TOKEN_QUEUE); return true; }
        "client"        { add(lexer, TOKEN_CLIENT); return true; }
        "server"        { add(lexer, TOKEN_SERVER); return true; }
        "datagram"      { add(lexer, TOKEN_DATAGRAM); return true; }
        "prose"         { add_prose(lexer); return true; }
        "rule"          { add(lexer, TOKEN_RULE); return true; }

        "emit"          { add(lexer, TOKEN_EMIT); return true; }
        "as"            { add(lexer, TOKEN_AS); return true; }
        "stream"        { add(lexer, TOKEN_STREAM); return true; }
        "reset"         { add(lexer, TOKEN_RESET); return true; }
        "length"        { add(lexer, TOKEN_LENGTH); return true; }
        "count"         { add(lexer, TOKEN_COUNT); return true; }
        "line"          { add(lexer, TOKEN_LINE); return true; }
        "until"         { add(lexer, TOKEN_UNTIL); return true; }
        "close"         { add(lexer, TOKEN_CLOSING); return true; }
        "when"          { add(lexer, TOKEN_WHEN); return true; }
        "refine"        { add(lexer, TOKEN_REFINE); return true; }
        "by"            { add(lexer, TOKEN_BY); return true; }
        "cut"           { add(lexer, TOKEN_CUT); return true; }
        "atomic"        { add(lexer, TOKEN_ATOMIC); return true; }
        "anomaly"       { add(lexer, TOKEN_ANOMALY); return true; }
        "push"          { add(lexer, TOKEN_PUSH); return true; }
        "pop"           { add(lexer, TOKEN_POP); return true; }
        "become"        { add(lexer, TOKEN_BECOME); return true; }
        "before"        { add(lexer, TOKEN_BEFORE); return true; }
        "resync"        { add(lexer, TOKEN_RESYNC); return true; }
        "ordered"       { add(lexer, TOKEN_ORDERED); return true; }
        "expect"        { add(lexer, TOKEN_EXPECT); return true; }
        "feed"          { add(lexer, TOKEN_FEED); return true; }
        "excerpt"       { add(lexer, TOKEN_EXCERPT); return true; }
        "finish"        { add(lexer, TOKEN_FINISH); return true; }
        "decode"        { add(lexer, TOKEN_DECODE); return true; }
        "at"            { add(lexer, TOKEN_AT); return true; }
        "local"         { add(lexer, TOKEN_LOCAL); return true; }
        "key"           { add(lexer, TOKEN_KEY); return true; }
        "joined"        { add(lexer, TOKEN_JOINED); return true; }

        "unique"        { add(lexer, TOKEN_UNIQUE); return true; }
        "decimal" | "hex" | "octal" | "u8" | "be16" | "be24" | "be32" | "be64" | "le16" | "le24" | "le32" | "le64"
            | "varint" | "keyword" | "bytes" | "unquote"
                        { add(lexer, TOKEN_CONVERSION); return true; }
        "and"           { add(lexer, TOKEN_AND); return true; }
        "or"            { add(lexer, TOKEN_OR); return true; }
        "not"           { add(lexer, TOKEN_NOT); return true; }
        "true"          { add(lexer, TOKEN_TRUE); return true; }
        "false"         { add(lexer, TOKEN_FALSE); return true; }

        word            { add(lexer, TOKEN_NAME); return true; }
        digit+          { add_number(lexer, 10, 0); return true; }
        "0x" hex+       { add_number(lexer, 16, 2); return true; }
        string          { add_token(lexer, TOKEN_STRING, 1, 1); return true; }
        "%" [iI] string { add_token(lexer, TOKEN_STRING, 3, 1); return true; }
        "%" [sS] string { add_token(lexer, TOKEN_STRING, 3, 1)->is_case_sensitive = true; return true; }
        open_string     { open_string(lexer); return true; }
        value           { add_value(lexer); return true; }

        "="             { add_is(lexer); return true; }
        "<>"            { add(lexer, TOKEN_DIFFERS); return true; }
        "<"             { add(lexer, TOKEN_LESS); return true; }
        "<="            { add(lexer, TOKEN_LESS_EQUAL); return true; }
        ">"             { add(lexer, TOKEN_GREATER); return true; }
        ">="            { add(lexer, TOKEN_GREATER_EQUAL); return true; }
        "+"             { add(lexer, TOKEN_PLUS); return true; }
        "-"             { add(lexer, TOKEN_MINUS); return true; }
        "*"             { add(lexer, TOKEN_TIMES); return true; }
        "&"             { add(lexer, TOKEN_BITS); return true; }
        "("             { add_open(lexer, TOKEN_OPEN); return true; }
        ")"             { add_close(lexer, TOKEN_CLOSE); return true; }
        ","             { add(lexer, TOKEN_COMMA); return true; }
        ":"             { add(lexer, TOKEN_COLON); return true; }
        "!"             { add(lexer, TOKEN_STRICT); return true; }
        "?"             { add(lexer, TOKEN_ANY); return true; }
        "/"             { add(lexer, TOKEN_OR_ELSE); return true; }
        *               { stray(lexer); return true; }
    */
}

void lex_annotation(arena_t *arena, const comment_t *comment, diag_t *diag, tokens_t *tokens)
{
    const size_t sign_len = 2; /* of `;@` */
    const char *begin = comment->place.source->text + comment->place.offset;
    const char *copy = arena_copy(arena, begin, comment->place.len);
    lexer_t lexer = {.arena = arena, .diag = diag, .source = comment->place.source, .tokens = tokens};

    lexer.text = (const unsigned char *)copy;
    lexer.cursor = lexer.text + sign_len;
    lexer.limit = lexer.text + comment->place.len;
    lexer.base = comment->place.offset;
    lexer.is_directive = comment->is_directive;
    lexer.stray_end = SIZE_MAX;
    while (lexer.is_abnf ? scan_rule(&lexer) : scan_annotation(&lexer))
        continue;
    add_end(&lexer);
}
