/* foreign.h: how conversations of protocols begin that are none of ours: made up from their documents, which stand above each. */
#ifndef QCAP_TEST_FOREIGN_H
#define QCAP_TEST_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct foreign_turn {
    bool is_server;
    const char *bytes; /* NULL: behind the last turn */
    size_t len;
} foreign_turn_t;

#define FOREIGN_TURNS 10

typedef struct foreign {
    const char *name;
    unsigned kin; /* the port of ours whose protocol has the same words and forms: there it is one that is malformed; 0: none */
    foreign_turn_t turns[FOREIGN_TURNS];
} foreign_t;

#define C(text) {false, text, sizeof(text) - 1}
#define S(text) {true, text, sizeof(text) - 1}
#define ZEROS4 "\0\0\0\0"
#define ZEROS8 ZEROS4 ZEROS4

static const foreign_t foreign_streams[] = {
    /* RFC 3977: what looks like SMTP and FTP until the commands come */
    {"nntp", 0, {S("200 news.example.net InterNetNews NNRP server INN 2.6.4 ready (posting ok)\r\n"), C("MODE READER\r\n"),
              S("200 news.example.net InterNetNews NNRP server INN 2.6.4 ready (posting ok)\r\n"), C("GROUP comp.lang.c\r\n"),
              S("211 1234 3000 4321 comp.lang.c\r\n"), C("XOVER 4300-4321\r\n"),
              S("224 Overview information follows\r\n4300\tRe: pointers\tA <a@example.org>\t1 Jan 2024\t<x@example.org>\t\t900\t12\r\n.\r\n"),
              C("QUIT\r\n"), S("205 Bye!\r\n")}},
    {"nntp, an old one", 0, {S("200 server ready\r\n"), C("LIST\r\n"), S("215 list of newsgroups follows\r\ncomp.lang.c 4321 3000 y\r\n.\r\n"),
                          C("ARTICLE 4321\r\n"), S("423 no such article number\r\n"), C("QUIT\r\n"), S("205 closing connection\r\n")}},
    {"nntp, with a login", 0, {S("201 news.example.com ready (no posting)\r\n"), C("AUTHINFO USER fred\r\n"), S("381 Enter passphrase\r\n"),
                            C("AUTHINFO PASS flintstone\r\n"), S("281 Authentication accepted\r\n")}},
    /* RFC 854 */
    {"telnet", 0, {S("\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27"), C("\xff\xfb\x18\xff\xfb\x20\xff\xfc\x23\xff\xfb\x27"),
                S("\xff\xfb\x03\xff\xfd\x01\r\nUbuntu 22.04 LTS\r\nhost login: "), C("fred\r\n"), S("fred\r\nPassword: "), C("secret\r\n"),
                S("\r\nLast login: Mon Jan  1 10:00:00\r\nfred@host:~$ "), C("ls\r\n"), S("ls\r\nnotes.txt  src\r\nfred@host:~$ ")}},
    {"telnet, without options", 0, {S("\r\nWelcome to the switch\r\n\r\nUser Access Verification\r\n\r\nUsername: "), C("admin\r\n"),
                                 S("Password: "), C("enable\r\n"), S("\r\nsw1>"), C("show version\r\n"), S("show version\r\nCisco IOS Software\r\nsw1>")}},
    /* RFC 1282; RFC 1459 has nothing of it */
    {"rlogin", 0, {C("\0"), C("fred\0fred\0xterm/38400\0"), S("\0"), S("Password: "), C("secret\r"), S("\r\nLast login: Mon Jan  1\r\n$ "), C("w\r")}},
    {"rsh", 0, {C("1023\0fred\0fred\0uname -a\0"), S("\0Linux host 5.10.0 x86_64\n")}},
    /* RFC 1288 */
    {"finger", 0, {C("fred\r\n"), S("Login: fred\t\t\tName: Fred Flintstone\r\nDirectory: /home/fred\tShell: /bin/sh\r\nNo mail.\r\nNo Plan.\r\n")}},
    {"finger, of all", 0, {C("\r\n"), S("Login    Name             Tty   Idle  Login Time\r\nfred     Fred             pts/0       Jan  1 10:00\r\n")}},
    {"finger, long", 0, {C("/W fred\r\n"), S("Login name: fred\r\nIn real life: Fred Flintstone\r\n")}},
    /* RFC 3912 */
    {"whois", 0, {C("example.org\r\n"), S("% IANA WHOIS server\r\n% for more information on IANA, visit http://www.iana.org\r\n\r\ndomain:       EXAMPLE.ORG\r\n\r\nstatus:       ok\r\n")}},
    {"whois, of a network", 0, {C("n + 192.0.2.0\r\n"), S("#\n# ARIN WHOIS data and services are subject to the Terms of Use\n#\n\nNetRange:       192.0.2.0 - 192.0.2.255\n")}},
    /* RFC 1436 */
    {"gopher", 0, {C("\r\n"), S("iWelcome to the Gopher\tfake\t(NULL)\t0\r\n1About us\t/about\tgopher.example.org\t70\r\n0News\t/news.txt\tgopher.example.org\t70\r\n.\r\n")}},
    {"gopher, a file", 0, {C("/news.txt\r\n"), S("News of today\r\n=============\r\n\r\nNothing happened.\r\n")}},
    {"gemini, in the clear", 0, {C("gemini://example.org/\r\n"), S("20 text/gemini\r\n# Hello\r\n=> /about About\r\n")}},
    /* BEP 3 */
    {"bittorrent", 0, {C("\x13" "BitTorrent protocol\0\0\0\0\0\x10\0\x05" "aaaaaaaaaaaaaaaaaaaa-TR2940-abcdefghijkl"),
                    S("\x13" "BitTorrent protocol\0\0\0\0\0\x10\0\x05" "aaaaaaaaaaaaaaaaaaaa-UT2210-abcdefghijkl"), C("\0\0\0\x05\x05\xff\xff\xff\xe0"),
                    S("\0\0\0\x01\x0f"), C("\0\0\0\x01\x02")}},
    /* MySQL, "Connection Phase" */
    {"mysql", 0, {S("\x4a\0\0\0\x0a" "8.0.35\0\x0c\0\0\0\x3a\x1f\x49\x2b\x3b\x04\x2e\x54\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0\x77\x42\x30\x3e\x2d\x2c\x6a\x1a\x34\x5e\x4b\x2d\0" "mysql_native_password\0"),
               C("\x52\0\0\x01\x85\xa6\xff\x01\0\0\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\x14\x6a\x12\x3b\x4f\x9c\x1e\x77\x12\x3c\x8b\x91\x01\x5f\xee\x21\x30\x19\x7f\xab\x05mysql_native_password\0"),
               S("\x07\0\0\x02\0\0\0\x02\0\0\0"), C("\x21\0\0\0\x03select @@version_comment limit 1"),
               S("\x01\0\0\x01\x01\x27\0\0\x02\x03" "def\0\0\0\x11@@version_comment\0\x0c\x08\0\x0c\0\0\0\xfd\0\0\x1f\0\0")}},
    /* PostgreSQL, "Message Formats" */
    {"postgresql", 0, {C("\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0"), S("R\0\0\0\x0c\0\0\0\x05\x1a\x2b\x3c\x4d"),
                    C("p\0\0\0\x28md5" "5f4dcc3b5aa765d61d8327deb882cf99\0"), S("R\0\0\0\x08\0\0\0\0S\0\0\0\x19" "server_version\0" "15.4\0\0Z\0\0\0\x05I"),
                    C("Q\0\0\0\x0dselect 1\0"), S("T\0\0\0\x21\0\x01?column?\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0D\0\0\0\x0b\0\x01\0\0\0\x01" "1C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I")}},
    {"postgresql, asked for TLS", 0, {C("\0\0\0\x08\x04\xd2\x16\x2f"), S("N"), C("\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0")}},
    /* MongoDB wire protocol */
    {"mongodb", 0, {C("\x3f\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0" "admin.$cmd\0\0\0\0\0\xff\xff\xff\xff\x18\0\0\0\x10isMaster\0\x01\0\0\0\0\0\0"),
                 S("\x4a\0\0\0\x15\0\0\0\x01\0\0\0\x01\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x26\0\0\0\x08ismaster\0\x01\x01ok\0\0\0\0\0\0\0\xf0\x3f\0"),
                 C("\x30\0\0\0\x02\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1b\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0")}},
    /* AMQP 0-9-1 */
    {"amqp", 0, {C("AMQP\0\0\x09\x01"), S("\x01\0\0\0\0\0\x2b\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05" "en_US\xce"),
              C("\x01\0\0\0\0\0\x24\0\x0a\0\x0b\0\0\0\0\x05PLAIN\0\0\0\x0c\0guest\0guest\x05" "en_US\xce"), S("\x01\0\0\0\0\0\x0c\0\x0a\0\x1e\x07\xff\0\x02\0\0\0\x3c\xce")}},
    /* MQTT 3.1.1 */
    {"mqtt", 0, {C("\x10\x16\0\x04MQTT\x04\x02\0\x3c\0\x0asensor-001"), S("\x20\x02\0\0"), C("\x82\x0c\0\x01\0\x07home/+/\0"), S("\x90\x03\0\x01\0"),
              C("\x30\x0d\0\x09home/tempxx21"), C("\xc0\0"), S("\xd0\0")}},
    /* RFC 4511: a simple bind, a search */
    {"ldap", 0, {C("\x30\x2c\x02\x01\x01\x60\x27\x02\x01\x03\x04\x1a" "cn=admin,dc=example,dc=org\x80\x06secret"), S("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0"),
              C("\x30\x25\x02\x01\x02\x63\x20\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectclass\x30\0"),
              S("\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\0\x04\0\x04\0")}},
    /* MS-SMB, MS-SMB2 */
    {"smb", 0, {C("\0\0\0\x54\xffSMB\x72\0\0\0\0\x18\x01\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\x4b\0\0\xc5\x5e\0\x31\0\x02LANMAN1.0\0\x02LM1.2X002\0\x02NT LANMAN 1.0\0\x02NT LM 0.12\0"),
             S("\0\0\0\x90\xffSMB\x72\0\0\0\0\x98\x01\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x2f\x4b\0\0\xc5\x5e\x11\x05\0\x03\x0a\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfd\xe3\0\x80")}},
    {"smb2", 0, {C("\0\0\0\x6c\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x24\0\x02\0\x01\0\0\0\x7f\0\0\0"),
              S("\0\0\0\x80\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\0\0\0\0\0\0\0\0\x41\0\x01\0\x02\x03\0\0")}},
    /* RFC 5531, over TCP: RFC 1813, a NULL and a GETATTR */
    {"nfs", 0, {C("\x80\0\0\x28\x1a\x2b\x3c\x4d\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
             S("\x80\0\0\x18\x1a\x2b\x3c\x4d\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
             C("\x80\0\0\x2c\x1a\x2b\x3c\x4e\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\xab\xcd\xef\x01")}},
    {"portmapper", 0, {C("\x80\0\0\x38\x00\x2b\x3c\x4d\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x86\xa3\0\0\0\x03\0\0\0\x06\0\0\0\0"),
                    S("\x80\0\0\x1c\x00\x2b\x3c\x4d\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\x01")}},
    /* MS-RDPBCGR, 4.1 */
    {"rdp", 0, {C("\x03\0\0\x2c\x27\xe0\0\0\0\0\0" "Cookie: mstshash=eltons\r\n\x01\0\x08\0\0\0\0\0"), S("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\0\0\0\0"),
             C("\x03\0\0\x0c\x02\xf0\x80\x04\x01\0\x01\0"), S("\x03\0\0\x0b\x02\xf0\x80\x2e\0\0\x06")}},
    /* RFC 6143 */
    {"vnc", 0, {S("RFB 003.008\n"), C("RFB 003.008\n"), S("\x01\x02"), C("\x02"), S("\x12\x34\x56\x78\x9a\xbc\xde\xf0\x11\x22\x33\x44\x55\x66\x77\x88"),
             C("\x88\x77\x66\x55\x44\x33\x22\x11\xf0\xde\xbc\x9a\x78\x56\x34\x12"), S("\0\0\0\0"), C("\x01")}},
    /* RFC 6120 */
    {"xmpp", 0, {C("<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"),
              S("<?xml version='1.0'?><stream:stream id='123' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='example.org' version='1.0'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"),
              C("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGZyZWQAc2VjcmV0</auth>"), S("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")}},
    /* RTMP 1.0, 5.2: the handshake begins so */
    {"rtmp", 0, {C("\x03\0\0\0\0\0\0\0\0\x4f\x12\x9a\x33\xc1\x7e\x08\xd2\x5b\x61\xf0\x2c\x94\xe3\x1d\x77\xb8\x46\x0a\xcf\x53\x8e\x25\xd9"),
              S("\x03\0\0\x10\x20\0\0\0\0\x7a\x21\xee\x0c\x83\x45\x9d\xb2\x16\x6f\xd0\x39\x51\xa7\xcb\x18\xf4\x62\x8d\x03\x5e\xb9\x70\x4c")}},
    /* a game's handshake, status request and its answer in JSON */
    {"minecraft", 0, {C("\x10\0\xfb\x05\x09localhost\x63\xdd\x01\x01\0"), S("\x51\0\x4f{\"version\":{\"name\":\"1.20\",\"protocol\":763},\"players\":{\"max\":20,\"online\":0}}    "),
                   C("\x09\x01\0\0\0\0\0\x12\x34\x56"), S("\x09\x01\0\0\0\0\0\x12\x34\x56")}},
    {"a game of lines", 0, {S("Welcome, traveller! What is your name?\r\n> "), C("Gandalf\r\n"), S("Hello Gandalf. You stand in a small room.\r\n> "), C("look\r\n"),
                         S("There is a lamp here.\r\n> "), C("get lamp\r\n"), S("You take the lamp.\r\n> "), C("quit\r\n"), S("Bye.\r\n")}},
    /* RFC 1928, and SOCKS 4 */
    {"socks5", 0, {C("\x05\x02\0\x02"), S("\x05\0"), C("\x05\x01\0\x03\x0b" "example.org\x1a\x0b"), S("\x05\0\0\x01\0\0\0\0\0\0")}},
    {"socks4", 0, {C("\x04\x01\x1a\x0b\xc0\0\x02\x01" "fred\0"), S("\0\x5a\0\0\0\0\0\0")}},
    /* gitprotocol-pack */
    {"git", 0, {C("0033git-upload-pack /project.git\0host=myserver.com\0"),
             S("00887217a7c7e582c46cec22a130adf4b9d7d950fba0 HEAD\0multi_ack thin-pack side-band side-band-64k ofs-delta shallow no-progress include-tag\n"
               "003f7217a7c7e582c46cec22a130adf4b9d7d950fba0 refs/heads/master\n0000"),
             C("0054want 7217a7c7e582c46cec22a130adf4b9d7d950fba0 multi_ack side-band-64k ofs-delta\n00000009done\n"), S("0008NAK\n")}},
    /* rsync's daemon */
    {"rsync", 0, {S("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"), C("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"), C("\n"), S("backup         \tnightly\n"), S("@RSYNCD: EXIT\n")}},
    /* Subversion's protocol */
    {"svn", 0, {S("( success ( 2 2 ( ) ( edit-pipeline svndiff1 absent-entries commit-revprops depth log-revprops atomic-revprops partial-replay ) ) ) "),
             C("( 2 ( edit-pipeline svndiff1 absent-entries depth mergeinfo log-revprops ) 23:svn://example.org/repos 10:SVN/1.14.1 ( ) ) "),
             S("( success ( ( ANONYMOUS ) 36:12345678-1234-1234-1234-123456789abc ) ) "), C("( ANONYMOUS ( 0: ) ) "), S("( success ( ) ) ")}},
    {"cvs", 0, {C("BEGIN AUTH REQUEST\n/cvsroot\nanonymous\nA\nEND AUTH REQUEST\n"), S("I LOVE YOU\n"), C("Root /cvsroot\nValid-responses ok error Valid-requests\nvalid-requests\n"),
             S("Valid-requests Root Valid-responses valid-requests\nok\n")}},
    /* Kafka's protocol: ApiVersions, Metadata */
    {"kafka", 0, {C("\0\0\0\x16\0\x12\0\0\0\0\0\x01\0\x0cmy-client-id"), S("\0\0\0\x16\0\0\0\x01\0\0\0\0\0\x02\0\0\0\0\0\x08\0\x01\0\0\0\x0b"), C("\0\0\0\x1d\0\x03\0\x01\0\0\0\x02\0\x0cmy-client-id\0\0\0\x01\0\x01t")}},
    /* CQL, native protocol 4 */
    {"cassandra", 0, {C("\x04\0\0\0\x01\0\0\0\x16\0\x01\0\x0b" "CQL_VERSION\0\x05" "3.0.0"), S("\x84\0\0\0\x02\0\0\0\0"),
                   C("\x04\0\0\x01\x07\0\0\0\x1d\0\0\0\x16select * from t limit 1\0\x01\0"), S("\x84\0\0\x01\x08\0\0\0\x04\0\0\0\x01")}},
    /* RFC 5804 */
    {"managesieve", 0, {S("\"IMPLEMENTATION\" \"Example1 ManageSieved v001\"\r\n\"SASL\" \"PLAIN\"\r\n\"SIEVE\" \"fileinto vacation\"\r\n\"STARTTLS\"\r\nOK\r\n"),
                     C("AUTHENTICATE \"PLAIN\" \"AGZyZWQAc2VjcmV0\"\r\n"), S("OK\r\n"), C("LISTSCRIPTS\r\n"), S("\"summer_script\"\r\n\"main_script\" ACTIVE\r\nOK\r\n"), C("LOGOUT\r\n"), S("OK\r\n")}},
    /* RFC 1413 */
    {"ident", 0, {C("40001 , 25\r\n"), S("40001 , 25 : USERID : UNIX : fred\r\n")}},
    {"ident, an error", 0, {C("6193,23\r\n"), S("6193,23:ERROR:NO-USER\r\n")}},
    /* RFC 867, RFC 868, RFC 862, RFC 864, RFC 865 */
    {"daytime", 0, {S("Mon Jan  1 10:00:00 2024\r\n")}},
    {"daytime, of NIST", 0, {S("\n60310 24-01-01 10:00:00 00 0 0 123.4 UTC(NIST) * \n")}},
    {"time", 0, {S("\xe9\x3b\x2f\x40")}},
    {"echo", 0, {C("hello\r\n"), S("hello\r\n"), C("hello again\r\n"), S("hello again\r\n")}},
    {"echo, of numbers", 0, {C("123\r\n"), S("123\r\n"), C("250 4\r\n"), S("250 4\r\n")}},
    {"chargen", 0, {S(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n")}},
    {"quote of the day", 0, {S("\"A witty saying proves nothing.\" Voltaire\r\n")}},
    /* RFC 1179 */
    {"lpd", 0, {C("\x02lp\n"), S("\0"), C("\x02" "75 cfA001host\n"), S("\0"), C("Hhost\nPfred\nJnotes\nldfA001host\nUdfA001host\nNnotes\n\0"), S("\0")}},
    /* JSON-RPC 2.0, and other JSON */
    {"json-rpc", 0, {C("{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":[42,23],\"id\":1}\n"), S("{\"jsonrpc\":\"2.0\",\"result\":19,\"id\":1}\n"),
                  C("{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}\n"), S("{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":2}\n")}},
    {"json-rpc, with a header", 0, {C("Content-Length: 59\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}\n"),
                                 S("Content-Length: 38\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}")}},
    {"stratum", 0, {C("{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}\n"), S("{\"id\":1,\"result\":[[[\"mining.notify\",\"ae68\"]],\"08000002\",4],\"error\":null}\n")}},
    {"json, in one line each", 0, {C("{\"level\":\"info\",\"msg\":\"started\"}\n{\"level\":\"info\",\"msg\":\"ready\"}\n")}},
    /* talk in lines, whoever begins */
    {"chat", 0, {C("hello world\r\n"), S("200 OK\r\n"), C("how are you?\r\n"), S("fine, thank you\r\n"), C("bye\r\n"), S("bye\r\n")}},
    {"chat of commands", 0, {C("hello\r\n"), S("OK\r\n"), C("list\r\n"), S("OK 2\r\nfoo\r\nbar\r\n"), C("get foo\r\n"), S("foo is 1\r\nOK\r\n"), C("quit\r\n"), S("OK\r\n")}},
    {"chat of one word", 0, {C("info\r\n"), S("version 1.2\r\nuptime 3\r\n")}},
    {"chat of ping", 0, {C("PING\r\n"), S("PONG\r\n"), C("PING\r\n"), S("PONG\r\n")}},
    {"chat of ping, with LF", 0, {C("ping\n"), S("pong\n"), C("ping\n"), S("pong\n")}},
    {"chat of stats", 0, {C("stats\r\n"), S("uptime: 10\r\nload: 0.5\r\n")}},
    {"chat of the time", 0, {C("time\r\n"), S("10:00:00\r\n")}},
    {"chat of sums", 0, {C("set x 1\r\n"), S("ok\r\n"), C("get x\r\n"), S("1\r\n"), C("incr x\r\n"), S("2\r\n")}},
    {"chat with names", 0, {C("nick fred\n"), S("fred has joined\n"), C("say hello everybody\n"), S("fred: hello everybody\n")}},
    {"chat of numbers", 0, {S("220 hello\r\n"), C("what is this?\r\n"), S("500 I do not know\r\n"), C("help\r\n"), S("200 one, two, three\r\n")}},
    {"chat with a greeting", 0, {S("+OK\r\n"), C("what is this?\r\n"), S("+OK\r\n"), C("a test\r\n"), S("+OK\r\n")}},
    {"version first", 0, {S("SERVER 1.0\r\n"), C("CLIENT 1.0\r\n"), S("OK\r\n"), C("LOGIN fred secret\r\n"), S("OK\r\n")}},
    {"get without a version", 0, {C("GET key\r\n"), S("VALUE 12\r\n"), C("PUT key 13\r\n"), S("DONE\r\n")}},
    {"tags and answers", 0, {C("1 open box\r\n"), S("1 done\r\n"), C("2 close box\r\n"), S("2 done\r\n")}},
    {"a shell", 0, {S("# "), C("id\n"), S("uid=0(root) gid=0(root) groups=0(root)\n# "), C("cat /etc/passwd\n"), S("root:x:0:0:root:/root:/bin/bash\n# ")}},
    /* other servers of lines: clamd, Zabbix, Graphite, StatsD, ZooKeeper, Beanstalk, MPD, Asterisk's manager, Gearman, NUT */
    {"clamd", 0, {C("zINSTREAM\0\0\0\0\x05hello\0\0\0\0"), S("stream: OK\0")}},
    {"clamd, of lines", 0, {C("nPING\n"), S("PONG\n")}},
    {"zabbix", 0, {C("ZBXD\x01\x26\0\0\0\0\0\0\0{\"request\":\"active checks\",\"host\":\"a\"}"), S("ZBXD\x01\x1b\0\0\0\0\0\0\0{\"response\":\"success\",\"d\":1}")}},
    {"graphite", 0, {C("servers.web1.cpu.load 0.42 1704103200\nservers.web1.mem.free 1024 1704103200\n")}},
    {"statsd", 0, {C("page.views:1|c\npage.time:320|ms\n")}},
    {"zookeeper", 0, {C("ruok"), S("imok")}},
    {"zookeeper, its numbers", 0, {C("mntr\n"), S("zk_version\t3.8.0\nzk_avg_latency\t0\nzk_max_latency\t0\n")}},
    {"beanstalk", 0, {C("put 0 0 60 5\r\nhello\r\n"), S("INSERTED 1\r\n"), C("reserve\r\n"), S("RESERVED 1 5\r\nhello\r\n"), C("delete 1\r\n"), S("DELETED\r\n")}},
    {"beanstalk, a tube", 0, {C("use mail\r\n"), S("USING mail\r\n"), C("stats-tube mail\r\n"), S("OK 12\r\n---\nname: a\n\r\n")}},
    {"mpd", 0, {S("OK MPD 0.23.5\n"), C("status\n"), S("volume: 50\nrepeat: 0\nstate: stop\nOK\n"), C("play\n"), S("OK\n")}},
    {"asterisk", 0, {S("Asterisk Call Manager/5.0.2\r\n"), C("Action: Login\r\nUsername: admin\r\nSecret: secret\r\n\r\n"), S("Response: Success\r\nMessage: Authentication accepted\r\n\r\n")}},
    {"gearman", 0, {C("\0REQ\0\0\0\x01\0\0\0\x07reverse"), S("\0RES\0\0\0\x06\0\0\0\0"), C("status\n"), S("reverse\t0\t0\t1\n.\n")}},
    {"nut", 0, {C("LIST UPS\n"), S("BEGIN LIST UPS\nUPS su700 \"Development box\"\nEND LIST UPS\n"), C("GET VAR su700 battery.charge\n"), S("VAR su700 battery.charge \"100\"\n")}},
    {"nats", 0, {S("INFO {\"server_id\":\"NA\",\"version\":\"2.10.0\",\"max_payload\":1048576}\r\n"), C("CONNECT {\"verbose\":false,\"name\":\"a\"}\r\nPING\r\n"), S("PONG\r\n"), C("SUB foo 1\r\nPUB foo 5\r\nhello\r\n"), S("MSG foo 1 5\r\nhello\r\n")}},
    {"stomp", 0, {C("CONNECT\naccept-version:1.2\nhost:example.org\n\n\0"), S("CONNECTED\nversion:1.2\n\n\0"), C("SEND\ndestination:/queue/a\n\nhello\0")}},
    {"dict", 0, {S("220 dict.example.org dictd 1.12.1 <auth.mime> <100@dict.example.org>\r\n"), C("CLIENT dict 1.12\r\nDEFINE ! cat\r\nQUIT\r\n"),
              S("250 ok\r\n150 1 definitions retrieved\r\n151 \"cat\" wn \"WordNet\"\r\ncat\r\n    n 1: feline mammal\r\n.\r\n250 ok [d/m/c = 1/0/16]\r\n221 bye [d/m/c = 0/0/0]\r\n")}},
    {"acap", 143, {S("* ACAP (IMPLEMENTATION \"ACME v3.5\") (STARTTLS) (SASL \"CRAM-MD5\")\r\n"), C("B001 AUTHENTICATE \"CRAM-MD5\"\r\n"), S("+ \"<1896.697170952@acap.example.org>\"\r\n")}},
    {"poppassd", 0, {S("200 poppassd v1.8 hello, who are you?\r\n"), C("user fred\r\n"), S("200 your password please.\r\n"), C("pass secret\r\n"), S("200 your new password please.\r\n"),
                  C("newpass secreter\r\n"), S("200 Password changed, thank you.\r\n")}},
    {"icap", 0, {C("OPTIONS icap://icap.example.org/echo ICAP/1.0\r\nHost: icap.example.org\r\n\r\n"), S("ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nISTag: \"5BDEEEA9\"\r\n\r\n")}},
    {"adb", 0, {C("CNXN\0\0\0\x01\0\0\x04\0\x07\0\0\0\x32\x02\0\0\xbc\xb1\xa7\xb1host::\0"), S("CNXN\0\0\0\x01\0\0\x04\0\x0f\0\0\0\x12\x05\0\0\xbc\xb1\xa7\xb1" "device::ro.x=1\0")}},
    {"x11", 0, {C("l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0"), S("\x01\0\x0b\0\0\0\x02\0\0\0\x70\x01\0\0\0\x02\xff\xff\x1f\0")}},
    {"bgp", 0, {C("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x1d\x01\x04\xfd\xe8\0\xb4\xc0\0\x02\x01\0"), S("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x1d\x01\x04\xfd\xe9\0\xb4\xc0\0\x02\x02\0")}},
    {"memcached, in numbers", 0, {C("\x80\0\0\x03\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0key"), S("\x81\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}},
    {"modbus", 0, {C("\0\x01\0\0\0\x06\x01\x03\0\0\0\x02"), S("\0\x01\0\0\0\x07\x01\x03\x04\x12\x34\x56\x78"), C("\0\x02\0\0\0\x06\x01\x03\0\0\0\x02"), S("\0\x02\0\0\0\x07\x01\x03\x04\x12\x34\x56\x79")}},
    {"s7", 0, {C("\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"), S("\x03\0\0\x16\x11\xd0\0\x01\0\x06\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02")}},
};

static const foreign_t foreign_datagrams[] = {
    /* RFC 5905 */
    {"ntp", 0, {C("\x23\0\x06\xec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe9\x3b\x2f\x40\x12\x34\x56\x78"),
             S("\x24\x02\x06\xec\0\0\x01\x20\0\0\x02\x30\xc0\0\x02\x01\xe9\x3b\x2e\x40\x12\x34\x56\x78\xe9\x3b\x2f\x40\x12\x34\x56\x78\xe9\x3b\x2f\x40\x22\x34\x56\x78\xe9\x3b\x2f\x40\x32\x34\x56\x78")}},
    /* RFC 3416: a get */
    {"snmp", 0, {C("\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x1a\x2b\x3c\x4d\x02\x01\0\x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0"),
              S("\x30\x2e\x02\x01\x01\x04\x06public\xa2\x21\x02\x04\x1a\x2b\x3c\x4d\x02\x01\0\x02\x01\0\x30\x13\x30\x11\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x04\x05Linux")}},
    /* RFC 1350 */
    {"tftp", 0, {C("\0\x01pxelinux.0\0octet\0tsize\0" "0\0"), S("\0\x06tsize\0" "26460\0"), C("\0\x04\0\0"), S("\0\x03\0\x01\xfa\xfc\x06\x0e\x1f\x8c\xc8\x8e\xd8")}},
    /* RFC 2131: the fields that are mostly zero, then the cookie and options */
    {"dhcp", 0, {C("\x01\x01\x06\0\x1a\x2b\x3c\x4d\0\0\0\0" ZEROS8 ZEROS8 "\x02\0\0\0\0\x01" ZEROS8 "\0\0" ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 "\x63\x82\x53\x63\x35\x01\x01\x37\x04\x01\x03\x06\x2a\xff")}},
    /* RFC 3164, RFC 5424 */
    {"syslog", 0, {C("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"), C("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 - An application event")}},
    /* RFC 8489 */
    {"stun", 0, {C("\0\x01\0\0\x21\x12\xa4\x42\x12\x34\x56\x78\x9a\xbc\xde\xf0\x11\x22\x33\x44"), S("\x01\x01\0\x0c\x21\x12\xa4\x42\x12\x34\x56\x78\x9a\xbc\xde\xf0\x11\x22\x33\x44\0\x20\0\x08\0\x01\xa1\x47\xe1\x12\xa6\x43")}},
    /* RFC 9000: an Initial */
    {"quic", 0, {C("\xc3\0\0\0\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\0\0\x44\x9e\x7b\x9a\xec\x34\xd1\xb1\xc9\x8d\xd7\x68\x9f\xb8\xec\x11\xd2\x42\xb1\x23\xdc\x9b\xd8\xba\xb9\x36\xb4\x7d\x92\xec\x35\x6c"),
              S("\xcf\0\0\0\x01\0\x08\xf0\x67\xa5\x50\x2a\x42\x62\xb5\0\x40\x75\xc0\xd9\x5a\x48\x2c\xd0\x99\x1c\xd2\x5b\x0a\xac\x40\x6a\x58\x16\xb6\x39\x41\0\xf3\x7a\x1c")}},
    /* UPnP: what looks like HTTP */
    {"ssdp", 0, {C("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"),
              S("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: http://192.0.2.1:1900/root.xml\r\nST: upnp:rootdevice\r\n\r\n")}},
    /* RFC 3550: voice */
    {"rtp", 0, {C("\x80\0\x12\x34\0\0\0\xa0\x1a\x2b\x3c\x4d\xff\xff\xff\xfe\xff\xff\xfe\xfe\xff\x7f\x7f\xff"), C("\x80\0\x12\x35\0\0\x01\x40\x1a\x2b\x3c\x4d\xff\x7e\xff\xfe\xff\xff\xfe\xfe\xff\x7f\x7f\xff")}},
    {"rtcp", 0, {C("\x80\xc8\0\x06\x1a\x2b\x3c\x4d\xe9\x3b\x2f\x40\x12\x34\x56\x78\0\0\0\xa0\0\0\0\x01\0\0\0\xa0")}},
    /* RFC 2865 */
    {"radius", 0, {C("\x01\0\0\x38\x0f\x40\x3f\x94\x73\x97\x80\x57\xbd\x83\xd5\xcb\x98\xf4\x22\x7a\x01\x06nemo\x02\x12\x0d\xbe\x70\x8d\x93\xd4\x13\xce\x31\x96\xe4\x3f\x78\x2a\x0a\xee\x04\x06\xc0\xa8\x01\x10\x05\x06\0\0\0\x03"),
                S("\x02\0\0\x26\x86\xfe\x22\x0e\x76\x24\xba\x2a\x10\x05\xf6\xbf\x9b\x55\xe0\xb2\x06\x06\0\0\0\x01\x0f\x06\0\0\0\0\x0e\x06\xc0\xa8\x01\x03")}},
    /* BEP 5, BEP 29 */
    {"dht", 0, {C("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), S("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re")}},
    {"utp", 0, {C("\x41\0\x3a\x2b\x1a\x2b\x3c\x4d\0\0\0\0\0\x10\0\0\0\x01\0\0"), S("\x21\0\x3a\x2b\x1a\x2b\x3c\x4e\0\0\0\x10\0\x10\0\0\0\x02\0\x01")}},
    /* RFC 5531 over UDP */
    {"rpc", 0, {C("\x1a\x2b\x3c\x4d\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02\0\0\0\0" ZEROS8 ZEROS8), S("\x1a\x2b\x3c\x4d\0\0\0\x01" ZEROS8 ZEROS8)}},
    /* WireGuard, OpenVPN, IKE: RFC 7296, DTLS: RFC 9147 */
    {"wireguard", 0, {C("\x04\0\0\0\x1a\x2b\x3c\x4d\0\0\0\0\0\0\0\0\x9c\x21\xe3\x0f\x5a\x77\xd2\x48\x13\xbe\x60\xa5\x3c\x91\xf8\x2d")}},
    {"ike", 0, {C("\x1a\x2b\x3c\x4d\x5e\x6f\x70\x81" ZEROS8 "\x21\x20\x22\x08\0\0\0\0\0\0\0\x2c\0\0\0\x10\0\0\0\x0c\x01\x01\0\x01\0\0\0\0")}},
    {"dtls", 0, {C("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x16\x01\0\0\x0a\0\0\0\0\0\0\0\x0a\xfe\xfd\x12\x34\x56\x78\x9a\xbc\xde\xf0")}},
    {"a game's datagrams", 0, {C("\xff\xff\xff\xff" "getinfo xxx"), S("\xff\xff\xff\xffinfoResponse\n\\protocol\\68\\hostname\\a\\clients\\0")}},
    {"talk in datagrams", 0, {C("hello"), S("hello to you"), C("get x"), S("OK")}},
    {"statsd", 0, {C("page.views:1|c"), C("page.time:320|ms|@0.1")}},
    {"collectd", 0, {C("\0\0\0\x09host\0\0\x01\0\x0c\0\0\0\0\x65\x92\x8d\x20\0\x02\0\x08" "cpu\0")}},
    {"netflow", 0, {C("\0\x05\0\x01\0\0\x30\x39\x65\x92\x8d\x20\0\0\0\0\0\0\0\x01\0\0\0\0\xc0\0\x02\x01\xc0\0\x02\x02\0\0\0\0\0\x01\0\x02\0\0\0\x0a\0\0\x04\0\0\0\x10\0\0\0\x20\0\x1f\x90\0\x50\0\x1b\x06\0\0\0\0\0\x18\x18\0\0")}},
    {"wake on lan", 0, {C("\xff\xff\xff\xff\xff\xff\x02\x11\x22\x33\x44\x55\x02\x11\x22\x33\x44\x55\x02\x11\x22\x33\x44\x55\x02\x11\x22\x33\x44\x55")}},
};

#undef C
#undef S
#undef ZEROS4
#undef ZEROS8

#endif
