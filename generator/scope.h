/* scope.h: which rule a name means.
 *
 * All files of a spec share one space of names. Where several define a name in the same spelling, the file that imports
 * wins over what it imports: it overrides the rule for all of them. The core rules of RFC 5234, B.1 are imported by
 * every file and so overridden by any.
 *
 * A name means the rule of its exact spelling; else, ignoring case, one of the file it stands in; else of any other. So
 * a `Host` of one file and a `host` of another live side by side. Two imports may define one name: each means its own,
 * and a third file that means either must say which, by a rule of its own. A rule that is one prose value overrides
 * nothing: it is what its own file calls another rule. */
#ifndef QCAPGEN_SCOPE_H
#define QCAPGEN_SCOPE_H

#include "ast.h"
#include "map.h"

/* One top-level alternative of a rule, with all annotations that files have for it. */
typedef struct alternative {
    const ast_node_t *node; /* what it reads */
    ast_notes_t notes;      /* of all files */
} alternative_t;

/* A rule as the files together define it. */
typedef struct definition {
    const char *name;                /* as spelled here */
    place_t place;                   /* of the name */
    VEC(alternative_t) alternatives; /* `=`, then `=/` */
    ast_notes_t notes;               /* of the rule */
    const char *section;             /* see ast_rule_t */
    bool is_core;                    /* of RFC 5234, B.1 */
    bool is_part;                    /* an element joins its texts */
    bool is_main;                    /* of the file that was asked for, not of an import */
    unsigned order;                  /* of definition: the main file first, the core rules last */
    struct definition *next;         /* the next in order of the same spelling, of another file; or NULL */
    bool has_rival;                  /* of those behind it there is one that it does not override */
    bool is_alias;                   /* it is one prose value: another name for a rule, which overrides none */
    rule_t *rule;                    /* of the grammar, once something refers to it */
} definition_t;

/* A file and its names. */
typedef struct scope_file {
    const ast_t *ast; /* what the file says */
    map_t names;      /* ignoring case → definition_t */
} scope_file_t;

typedef struct scope {
    arena_t *arena;                  /* of the compilation */
    diag_t *diag;                    /* where complaints go */
    VEC(scope_file_t *) files;       /* importing before imported, the core rules last */
    VEC(definition_t *) definitions; /* of all files, in order */
    map_t names;                     /* exact spelling → the definition_t that overrides all others */
    map_t folded;                    /* ignoring case → the first definition_t */
    map_t bindings;                  /* text of a prose value → ast_binding_t */
    map_t missing;                   /* ignoring case → anything: names that nothing defines, reported already */
} scope_t;

/* The tree of the core rules. */
const ast_t *scope_core_rules(arena_t *arena, diag_t *diag);

/* Every definition of `main` and its imports in one scope. Complains about rules defined twice, additions to nothing,
 * and annotations for rules that are not there. */
scope_t *scope_build(arena_t *arena, const ast_t *main, diag_t *diag);

/* The rule that a name at a place means, NULL if there is none. */
definition_t *scope_find(const scope_t *scope, const ast_name_t *name);

/* The same, but complains if there is none: once for each name. */
definition_t *scope_get(scope_t *scope, const ast_name_t *name);

/* The rule that a prose value means: bound by `prose`, or named before a comma or "see". Complains if there is none. */
definition_t *scope_get_prose(scope_t *scope, const ast_node_t *prose);

#endif
