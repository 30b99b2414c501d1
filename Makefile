# qcap: library, generator, examples, tests.
#
## make                   the library build/libqcap.a, the generator build/qcapgen, the examples build/NAME
## make demo              everything, then build/ip_identity on a bundled capture; installs the packages it needs
## make test              all tests; installs the packages it needs
## make test T=tcpstr     the test program test_tcpstr alone
## make SAN=1 test        the same with AddressSanitizer and UndefinedBehaviorSanitizer, in build/san
## make generate          rewrites generated/ from specs/
## make check-generated   fails if generated/ is not what the generator makes of specs/
## make check-headers     compiles every public header alone, as C11 and as C++
## make check-corpus      compares what is read in the captures of CORPUS with the truth beside them: see tests/corpus/check;
##                        reads them whole, cut off and damaged: see tests/runtime/test_accounts.c; and compares fields of
##                        headers with tshark's: see tests/corpus/fields
## make fuzz              FUZZ_SECONDS (20) of libFuzzer for each target in tests/fuzz; F=http for one of them,
##                        FUZZ_SEED=1 for the same inputs every time
## make soak             compares parsers with the interpreter of their grammars: SOAK_INPUTS (100000) inputs for each spec,
##                        WILD_SPECS (1000) specs thrown together; SOAK_SEED and WILD_SEED are the first of them,
##                        SOAK_SPEC the only spec
## make stress            floods of packets, fifty times as long as in the tests: the memory ceiling holds
## make bench             the generated parsers beside others; build/reader and build/ip_identity beside others on synthetic
##                        traces (4 GB in build/traces); installs the packages it needs. See tests/bench/README.md
## make install           to DESTDIR PREFIX (/usr/local): headers, library, generator, examples, qcap.pc
## make uninstall         removes them
## make clean             removes build/
##
## CC and CFLAGS are yours; WERROR=1 makes warnings errors; V=1 shows the commands; BUILD=folder builds somewhere else.

VERSION := $(shell sed -n 's/^\#define QCAP_VERSION "\(.*\)"/\1/p' runtime/qcap.h)
# Every spec that says what its protocol is called; the others are imported.
PROTOCOLS = $(patsubst specs/%.abnf,%,$(sort $(shell grep -l '^;@ protocol ' specs/*.abnf)))
PUBLIC_HEADERS = $(wildcard runtime/qcap.h runtime/parser.h runtime/scan.h runtime/decoders.h runtime/testkit.h)

# ---------------------------------------------------------------- settings

ifeq ($(origin CC),default)
CC = gcc
endif
CLANG = clang
CXX = g++
CFLAGS = $(if $(SAN),-O1,-O2) -g
PREFIX = /usr/local
DESTDIR =
FUZZ_SECONDS = 20
FUZZ_SEED = 0

ifdef SAN
BUILD = build/san
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
BUILD = build
RELEASE = -DNDEBUG
endif
B = $(BUILD)

# Ours, whatever the user's CFLAGS are.
OURS = -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wconversion $(if $(WERROR),-Werror) -MMD -MP
FUZZ = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
LIBS = -lpcap -lz $(if $(HAVE_BROTLI),-lbrotlidec) $(if $(HAVE_ZSTD),-lzstd) $(if $(HAVE_LZMA),-llzma)

# What needs a library that is not there is left out: a decoder, a way in which traces are compressed.
has_header = $(shell echo '\#include <$(1)>' | $(CC) -E - >/dev/null 2>&1 && echo yes)
HAVE_BROTLI := $(call has_header,brotli/decode.h)
HAVE_ZSTD := $(call has_header,zstd.h)
HAVE_LZMA := $(call has_header,lzma.h)
HAVE_CRYPTO := $(call has_header,openssl/evp.h)
HAVE_MAGIC := $(call has_header,magic.h)

# ---------------------------------------------------------------- what there is

RUNTIME = $(wildcard runtime/*.c runtime/decoders/*.c)
GENERATED = $(wildcard generated/*.c)
GENERATOR = $(wildcard generator/*.c)
LEXERS = $(patsubst %.re,%,$(wildcard generator/*.re runtime/*.re))
GRAMMARS = $(patsubst %.y,%,$(wildcard generator/*.y runtime/*.y))
EXAMPLES = $(patsubst examples/%.c,%,$(shell grep -ls '^int main' examples/*.c))
EXAMPLES_SHARED = $(filter-out $(EXAMPLES:%=examples/%.c),$(wildcard examples/*.c))
SUPPORT = $(wildcard tests/support/*.c)
TOYS = $(patsubst tests/support/%.abnf,%,$(wildcard tests/support/*.abnf))
T = *
TESTS = $(wildcard tests/*/test_$(T).c)
TEST_SCRIPTS = $(wildcard tests/*/test_$(T).sh)
F = *
FUZZERS = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_$(F).c))
REPLAYS = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_$(patsubst fuzz_%,%,$(T)).c))

MADE_OBJECTS = $(LEXERS:%=$(B)/obj/%.o) $(GRAMMARS:%=$(B)/obj/%.o)
RUNTIME_OBJECTS = $(RUNTIME:%.c=$(B)/obj/%.o) $(GENERATED:%.c=$(B)/obj/%.o) $(filter $(B)/obj/runtime/%,$(MADE_OBJECTS))
STEPS_OBJECTS = $(filter $(B)/obj/generator/%,$(MADE_OBJECTS)) $(patsubst %.c,$(B)/obj/%.o,$(filter-out generator/main.c,$(GENERATOR)))
EXAMPLES_OBJECTS = $(EXAMPLES_SHARED:%.c=$(B)/obj/%.o)
SUPPORT_OBJECTS = $(SUPPORT:%.c=$(B)/obj/%.o) $(TOYS:%=$(B)/obj/toys/%.o)
HEADERS = $(patsubst runtime/%,$(B)/include/qcap/%,$(PUBLIC_HEADERS))
CONTRACT = $(patsubst runtime/%,$(B)/contract/%,$(wildcard runtime/parser.h runtime/scan.h))

# The archives exist as soon as there is anything to put in.
LIBRARY = $(if $(strip $(RUNTIME_OBJECTS)),$(B)/libqcap.a)
STEPS = $(if $(strip $(STEPS_OBJECTS)),$(B)/libsteps.a)
SUPPORTS = $(if $(strip $(SUPPORT_OBJECTS)),$(B)/libsupport.a)
GENERATE = $(if $(wildcard generator/main.c),$(B)/qcapgen)
PROGRAMS = $(EXAMPLES:%=$(B)/%)
PARSERS = $(patsubst %.c,$(B)/%,$(wildcard tests/bench/parse_*.c)) $(B)/tests/bench/parse_fields50
PEERS = $(patsubst %.c,$(B)/%,$(wildcard tests/bench/peers/*.c))
SYNTH = $(B)/tests/bench/synth/synth
TEST_PROGRAMS = $(TESTS:%.c=$(B)/%) $(REPLAYS:%=$(B)/tests/fuzz/%)

.PHONY: all programs demo test generate check-generated check-headers check-corpus fuzz soak stress bench install uninstall clean help packages \
    always
.DELETE_ON_ERROR:
.SECONDARY:

all: $(LIBRARY) $(GENERATE) $(PROGRAMS) $(HEADERS)

# Also what only tests and measurements run, without running it.
programs: all $(TEST_PROGRAMS) $(PEERS) $(SYNTH) $(PARSERS)

# `make demo`, `make test` and `make bench` begin with the packages they need; no other target installs anything.
ifneq ($(filter demo test bench,$(MAKECMDGOALS)),)
SETUP = packages
endif
packages:
	@.ci/packages install build $(filter test bench,$(MAKECMDGOALS))

# ---------------------------------------------------------------- compiling
# What each part may include is what its -I say: the generator nothing of the runtime; generated code parser.h alone;
# examples what is installed; tests anything.

INCLUDE_generator = -Igenerator -I$(B)/generator -DQCAPGEN_VERSION='"$(VERSION)"'
INCLUDE_runtime = -fvisibility=hidden $(RELEASE) -Iruntime -Igenerated -I$(B)/runtime -I$(B)/builtin $(if $(HAVE_BROTLI),-DQCAP_HAVE_BROTLI) \
    $(if $(HAVE_ZSTD),-DQCAP_HAVE_ZSTD) $(if $(HAVE_LZMA),-DQCAP_HAVE_LZMA)
INCLUDE_generated = -fvisibility=hidden $(RELEASE) -I$(B)/contract
INCLUDE_examples = $(RELEASE) -I$(B)/include $(if $(HAVE_CRYPTO),-DQCAP_HAVE_CRYPTO) $(if $(HAVE_MAGIC),-DQCAP_HAVE_MAGIC) $(if $(HAVE_BROTLI),-DQCAP_HAVE_BROTLI)
INCLUDE_toys = $(INCLUDE_generated)
INCLUDE_tests = -Itests/support -I$(B)/toys -I$(B)/builtin -Iruntime -Igenerated -Igenerator -I$(B)/generator -I$(B)/include

COMPILE = $(CC) $(OURS) $(CFLAGS) $(CPPFLAGS) $(SANITIZE) $(INCLUDE_$(firstword $(subst /, ,$*)))
LINK = $(CC) $(CFLAGS) $(LDFLAGS) $(SANITIZE)
SHOW = $(if $(V),,@echo $@;)
PARSER_HEADERS = $(GRAMMARS:%=$(B)/%.h)
TOY_HEADERS = $(TOYS:%=$(B)/toys/%.h)

$(B)/obj/%.o: %.c | $(SETUP) $(HEADERS) $(PARSER_HEADERS) $(CONTRACT) $(B)/builtin/builtin.h
	@mkdir -p $(@D)
	$(SHOW) $(COMPILE) -c $< -o $@

$(MADE_OBJECTS): $(B)/obj/%.o: $(B)/%.c | $(SETUP) $(HEADERS) $(PARSER_HEADERS)
	@mkdir -p $(@D)
	$(SHOW) $(COMPILE) -c $< -o $@

$(LEXERS:%=$(B)/%.c): $(B)/%.c: %.re | $(SETUP)
	@mkdir -p $(@D)
	$(SHOW) re2c -W -c -o $@ $<

$(B)/%.c $(B)/%.h: %.y | $(SETUP)
	@mkdir -p $(@D)
	$(SHOW) bison -Wall --header=$(B)/$*.h -o $(B)/$*.c $<

# Protocols that only tests speak are generated by every build.
$(B)/toys/%.c $(B)/toys/%.h: tests/support/%.abnf $(GENERATE)
	$(SHOW) $(B)/qcapgen generate $< -o $(B)/toys --depfile $(B)/toys/$*.d

$(B)/obj/toys/%.o: $(B)/toys/%.c | $(HEADERS) $(CONTRACT)
	@mkdir -p $(@D)
	$(SHOW) $(CC) $(OURS) $(CFLAGS) $(CPPFLAGS) $(SANITIZE) $(INCLUDE_toys) -c $< -o $@

$(TESTS:%.c=$(B)/obj/%.o) $(REPLAYS:%=$(B)/obj/tests/fuzz/%.o) $(FUZZERS:%=$(B)/fuzz/obj/tests/fuzz/%.o) \
    $(SUPPORT:%.c=$(B)/obj/%.o) $(SUPPORT:%.c=$(B)/fuzz/obj/%.o): | $(TOY_HEADERS)

$(B)/include/qcap/%.h: runtime/%.h
	@mkdir -p $(@D)
	@cp $< $@

$(B)/contract/%.h: runtime/%.h
	@mkdir -p $(@D)
	@cp $< $@

# The protocols that the library is built with, for runtime/builtin.c: written anew when they change, also when one is gone.
$(B)/builtin/builtin.h: always
	@mkdir -p $(@D)
	@{ for name in $(PROTOCOLS); do echo "#include \"$$name.h\""; done; \
	    echo '#define QCAP_BUILTIN_MAP(X) $(foreach name,$(PROTOCOLS),X($(subst -,_,$(name)),$(name)))'; } >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# ---------------------------------------------------------------- linking

define archive
	@mkdir -p $(@D) && rm -f $@
	$(SHOW) $(AR) rcs $@ $^
endef
$(B)/libqcap.a: $(RUNTIME_OBJECTS)
	$(archive)
$(B)/libsteps.a: $(STEPS_OBJECTS)
	$(archive)
$(B)/libsupport.a: $(SUPPORT_OBJECTS)
	$(archive)

$(B)/qcapgen: $(B)/obj/generator/main.o $(STEPS)
	$(SHOW) $(LINK) $^ -o $@

$(PROGRAMS): $(B)/%: $(B)/obj/examples/%.o $(B)/obj/examples/shared.a $(LIBRARY)
	$(SHOW) $(LINK) $^ $(LIBS_$(@F)) $(LIBS) -o $@
$(B)/obj/examples/shared.a: $(EXAMPLES_OBJECTS)
	$(archive)
LIBS_extract = $(if $(HAVE_CRYPTO),-lcrypto) $(if $(HAVE_MAGIC),-lmagic)

$(B)/tests/runtime/%: $(B)/obj/tests/runtime/%.o $(SUPPORTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(SHOW) $(LINK) $^ -lcmocka $(LIBS) -o $@

$(REPLAYS:%=$(B)/tests/fuzz/%): $(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/replay.o $(SUPPORTS) $(STEPS) $(LIBRARY)
	@mkdir -p $(@D)
	$(SHOW) $(LINK) $^ $(LIBS) -o $@

$(SYNTH): $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/bench/synth/*.c))
	@mkdir -p $(@D)
	$(SHOW) $(LINK) $^ -o $@

LIBS_pcap_loop = -lpcap
LIBS_nids = -lnids -lhttp_parser
$(PEERS): $(B)/%: $(B)/obj/%.o
	@mkdir -p $(@D)
	$(SHOW) $(LINK) $^ $(LIBS_$(@F)) -o $@

LIBS_parse_http_parser = -lhttp_parser
LIBS_parse_pico = -lh2o
$(PARSERS): $(B)/%: $(B)/obj/%.o $(B)/obj/tests/bench/parse.o $(LIBRARY)
	@mkdir -p $(@D)
	$(SHOW) $(LINK) $(filter %.o,$^) $(LIBRARY) $(LIBS_$(@F)) -o $@

# http with more fields: another parser of the same name, that the linker finds before the library's.
FIELDS50 = $(B)/fields50
$(FIELDS50)/http.abnf: specs/http.abnf tests/bench/fields50.abnf specs/http.client.sample tests/bench/fields50.sample
	@mkdir -p $(@D) && cp specs/uri.abnf specs/http.server.sample $(@D)
	@cat $(filter %.sample,$^) >$(FIELDS50)/http.client.sample
	@cat $(filter %.abnf,$^) >$@

$(FIELDS50)/http.c $(FIELDS50)/http.h: $(FIELDS50)/http.abnf $(GENERATE)
	$(SHOW) $(B)/qcapgen generate $< -o $(FIELDS50)

$(B)/obj/fields50/http.o: $(FIELDS50)/http.c | $(CONTRACT)
	@mkdir -p $(@D)
	$(SHOW) $(CC) $(OURS) $(CFLAGS) $(CPPFLAGS) $(SANITIZE) $(INCLUDE_generated) -c $< -o $@

$(B)/obj/tests/bench/parse_fields50.o: tests/bench/parse_ours.c $(FIELDS50)/http.h | $(CONTRACT)
	@mkdir -p $(@D)
	$(SHOW) $(CC) $(OURS) $(CFLAGS) $(CPPFLAGS) $(SANITIZE) -I$(FIELDS50) $(INCLUDE_generated) -c $< -o $@

$(B)/tests/bench/parse_fields50: $(B)/obj/fields50/http.o

$(B)/tests/%: $(B)/obj/tests/%.o $(SUPPORTS) $(STEPS) $(LIBRARY)
	@mkdir -p $(@D)
	$(SHOW) $(LINK) $^ -lcmocka $(LIBS) -o $@

# ---------------------------------------------------------------- using

DEMO_CAPTURE = tests/captures/logins.pcap

demo: all
	@echo "$(B)/ip_identity $(DEMO_CAPTURE)"
	@$(B)/ip_identity $(DEMO_CAPTURE)

# A comparison with the interpreter takes twenty times as long with sanitizers: there, a tenth of the inputs will do.
SOAK = $(if $(SAN),SOAK_INPUTS="$${SOAK_INPUTS:-100}")

# Scripts find what was built through BUILD, and how to compile through CC, SANITIZE and LIBS.
test: $(TEST_PROGRAMS) $(if $(TEST_SCRIPTS)$(filter tests/examples/%,$(TESTS)),all $(SUPPORTS))
	@BUILD=$(B) CC="$(CC)" SANITIZE="$(SANITIZE)" LIBS="$(LIBS)" $(SOAK) tests/support/run $(B)/logs $(TEST_PROGRAMS) $(TEST_SCRIPTS)

STRAY = $(filter-out $(foreach kind,h c md,$(PROTOCOLS:%=generated/%.$(kind))),$(wildcard generated/*))

generate: $(GENERATE)
	$(if $(STRAY),rm -f $(STRAY))
	@$(B)/qcapgen generate --page $(PROTOCOLS:%=specs/%.abnf) -o generated

check-generated: $(GENERATE)
	@$(B)/qcapgen generate --check --page $(PROTOCOLS:%=specs/%.abnf) -o generated
	$(if $(STRAY),$(error $(STRAY): made of no spec))

# What would make a header depend on its includer shows when it is compiled alone.
check-headers: $(HEADERS) $(CONTRACT)
	@for header in $(HEADERS) $(wildcard generated/*.h); do \
	    echo $$header; \
	    $(CC) -std=c11 -Wall -Wextra -Wconversion -Werror -I$(B)/contract -fsyntax-only -x c $$header && \
	    $(CXX) -std=c++11 -Wall -Wextra -Werror -I$(B)/contract -fsyntax-only -x c++ $$header || exit 1; \
	done

check-corpus: all $(B)/tests/runtime/test_accounts $(B)/tests/corpus/datagrams $(B)/tests/corpus/fields
	@tests/corpus/check $(B) $(CORPUS)
	@CORPUS=$(CORPUS) $(B)/tests/runtime/test_accounts
	@find $(CORPUS) tests/captures -name '*.pcap*' -size -4096k | sort | xargs tests/corpus/fields $(B)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/qcap $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install $(GENERATE) $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include/qcap
	install -m 644 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBS)|' runtime/qcap.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/qcap.pc

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(GENERATE) $(PROGRAMS)))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/,$(notdir $(LIBRARY)) pkgconfig/qcap.pc)
	rm -rf $(DESTDIR)$(PREFIX)/include/qcap

clean:
	rm -rf build

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

# ---------------------------------------------------------------- fuzzing
# Everything a target can reach is compiled again, by clang and instrumented.

# Optimising the one large function of a generated machine with every check in it takes minutes, for little.
$(B)/fuzz/obj/generated/%.o: FUZZ := $(subst -O1,-O0,$(FUZZ))
ifdef SAN
$(B)/obj/generated/%.o: CFLAGS := $(CFLAGS) -O0
endif

FUZZ_OBJECTS = $(patsubst $(B)/obj/%,$(B)/fuzz/obj/%,$(RUNTIME_OBJECTS) $(STEPS_OBJECTS) $(SUPPORT_OBJECTS))

$(B)/fuzz/obj/%.o: %.c | $(HEADERS) $(PARSER_HEADERS) $(CONTRACT) $(B)/builtin/builtin.h
	@mkdir -p $(@D)
	$(SHOW) $(CLANG) $(OURS) $(FUZZ) -fsanitize=fuzzer-no-link \
	    $(filter-out $(RELEASE),$(INCLUDE_$(firstword $(subst /, ,$*)))) -c $< -o $@

$(MADE_OBJECTS:$(B)/%=$(B)/fuzz/%): $(B)/fuzz/obj/%.o: $(B)/%.c | $(HEADERS) $(PARSER_HEADERS)
	@mkdir -p $(@D)
	$(SHOW) $(CLANG) $(OURS) $(FUZZ) -fsanitize=fuzzer-no-link \
	    $(filter-out $(RELEASE),$(INCLUDE_$(firstword $(subst /, ,$*)))) -c $< -o $@

$(B)/fuzz/obj/toys/%.o: $(B)/toys/%.c | $(HEADERS) $(CONTRACT)
	@mkdir -p $(@D)
	$(SHOW) $(CLANG) $(OURS) $(FUZZ) -fsanitize=fuzzer-no-link $(filter-out $(RELEASE),$(INCLUDE_toys)) -c $< -o $@

$(B)/fuzz/library.a: $(FUZZ_OBJECTS)
	$(archive)

$(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(B)/fuzz/library.a
	$(SHOW) $(CLANG) $(FUZZ) -fsanitize=fuzzer $^ $(LIBS) -o $@

# New inputs are kept in build/, crashes too; the seeds are the target's own corpus, or else the captures.
fuzz: $(FUZZERS:%=$(B)/fuzz/%)
	@for target in $(FUZZERS); do \
	    echo "$$target: $(FUZZ_SECONDS) s"; \
	    mkdir -p $(B)/fuzz/corpus/$$target; \
	    seeds=tests/fuzz/corpus/$${target#fuzz_}; [ -d $$seeds ] || seeds=tests/captures; \
	    $(B)/fuzz/$$target -seed=$(FUZZ_SEED) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	        -artifact_prefix=$(B)/fuzz/$$target- $(B)/fuzz/corpus/$$target $$seeds >$(B)/fuzz/$$target.log 2>&1 || \
	        { tail -n 60 $(B)/fuzz/$$target.log; exit 1; }; \
	    sed -n 's/^stat::\(number_of_executed_units\|new_units_added\)/    \1/p' $(B)/fuzz/$$target.log; \
	done

# ---------------------------------------------------------------- soaking

SOAK_INPUTS = 100000
WILD_SPECS = 1000

soak: $(B)/tests/generator/test_agree $(B)/tests/generator/test_wild
	SOAK_INPUTS=$(SOAK_INPUTS) $(B)/tests/generator/test_agree
	CC="$(CC)" SANITIZE="$(SANITIZE)" WILD_SPECS=$(WILD_SPECS) $(B)/tests/generator/test_wild

stress: $(B)/tests/runtime/test_limits
	LIMITS_SCALE=50 $(B)/tests/runtime/test_limits

# ---------------------------------------------------------------- measuring

# Each kind of trace: how much of it, and how many connections at once.
TRACE_mix = mix 2000000 4096
TRACE_large = large 1000 16
TRACE_short = short 500000 4096
TRACE_open-1000 = open 1000000 1000
TRACE_open-1000000 = open 1000000 1000000
TRACES = $(patsubst TRACE_%,$(B)/traces/%.pcap,$(filter TRACE_%,$(.VARIABLES)))

$(B)/traces/%.pcap: $(SYNTH)
	@mkdir -p $(@D)
	$(SHOW) $(SYNTH) $(TRACE_$*) $@

bench: all $(TRACES) $(PEERS) $(PARSERS)
	tests/bench/parsers $(B)
	tests/bench/traces $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
