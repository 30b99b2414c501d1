/* getter_lexer.re: from the text of a getter to tokens.
 *
 * What a value is depends on what it is compared with: `00:11` may be bytes, or the beginning of an address. So tokens of values
 * are told apart by their signs only, and getter_literal.c reads them when the field is known. A colon in brackets is one. */
#include "getter.h"
#include "getter_parser.h"

/*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = "cursor";
    re2c:define:YYMARKER = "marker";
    re2c:yyfill:enable = 0;

    digit = [0-9];
    hex   = [0-9a-fA-F];
    blank = [ \t\r\n]+;
    word  = [a-zA-Z0-9_-]+;
    quad  = digit+ "." digit+ "." digit+ "." digit+;
*/

static int slice_token(qcapint_lexer_t *lexer)
{
    const unsigned char *cursor = (const unsigned char *)lexer->cursor, *marker;
    int kind;
begin:
    lexer->begin = (const char *)cursor;
    /*!re2c
        blank      { goto begin; }
        digit+     { kind = GETTER_NUMBER; goto end; }
        "0x" hex+  { kind = GETTER_NUMBER; goto end; }
        ":"        { kind = GETTER_COLON; goto end; }
        "]"        { kind = GETTER_CLOSE_SLICE; lexer->is_slice = false; goto end; }
        "\x00"     { cursor--; kind = GETTER_END; goto end; }
        *          { kind = GETTER_STRAY; goto end; }
    */
end:
    lexer->cursor = (const char *)cursor;
    return kind;
}

static int plain_token(qcapint_lexer_t *lexer)
{
    const unsigned char *cursor = (const unsigned char *)lexer->cursor, *marker;
    int kind;
begin:
    lexer->begin = (const char *)cursor;
    /*!re2c
        blank                { goto begin; }
        "==" | 'eq'          { kind = GETTER_EQUAL; goto end; }
        "!=" | 'ne'          { kind = GETTER_DIFFERS; goto end; }
        "<"  | 'lt'          { kind = GETTER_LESS; goto end; }
        "<=" | 'le'          { kind = GETTER_LESS_EQUAL; goto end; }
        ">"  | 'gt'          { kind = GETTER_GREATER; goto end; }
        ">=" | 'ge'          { kind = GETTER_GREATER_EQUAL; goto end; }
        "&&" | 'and'         { kind = GETTER_AND; goto end; }
        "||" | 'or'          { kind = GETTER_OR; goto end; }
        "!"  | 'not'         { kind = GETTER_NOT; goto end; }
        'contains'           { kind = GETTER_CONTAINS; goto end; }
        'matches' | "~"      { kind = GETTER_MATCHES; goto end; }
        'in'                 { kind = GETTER_IN; goto end; }
        'true' | 'false'     { kind = GETTER_TRUTH; goto end; }
        "("                  { kind = GETTER_OPEN; goto end; }
        ")"                  { kind = GETTER_CLOSE; goto end; }
        "{"                  { kind = GETTER_OPEN_SET; goto end; }
        "}"                  { kind = GETTER_CLOSE_SET; goto end; }
        "["                  { kind = GETTER_OPEN_SLICE; lexer->is_slice = true; goto end; }
        "&"                  { kind = GETTER_BITS; goto end; }
        ","                  { kind = GETTER_COMMA; goto end; }
        ".."                 { kind = GETTER_RANGE; goto end; }
        digit+ | "0x" hex+   { kind = GETTER_NUMBER; goto end; }
        digit+ "." digit+    { kind = GETTER_DECIMAL; goto end; }
        quad ("/" digit+)?   { kind = GETTER_ADDRESS; goto end; }
        hex* ":" [0-9a-fA-F:]* quad? ("/" digit+)?  { kind = GETTER_COLONS; goto end; }
        [a-zA-Z_] word? ("." word)*  { kind = GETTER_NAME; goto end; }
        ["] ([^"\\\x00] | [\\] [^\x00])* ["]  { kind = GETTER_STRING; goto end; }
        "\x00"               { cursor--; kind = GETTER_END; goto end; }
        *                    { kind = GETTER_STRAY; goto end; }
    */
end:
    lexer->cursor = (const char *)cursor;
    return kind;
}

qcapint_token_t qcapint_lexer_next(qcapint_lexer_t *lexer)
{
    int kind = lexer->is_slice ? slice_token(lexer) : plain_token(lexer);
    return (qcapint_token_t){lexer->begin, (size_t)(lexer->cursor - lexer->begin), kind};
}
