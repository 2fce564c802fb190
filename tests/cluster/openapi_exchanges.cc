#include "tests/cluster/openapi_exchanges.h"

namespace anchor::cluster {
namespace {

using io::HttpMethod;

constexpr auto kGet = HttpMethod::kGet;
constexpr auto kHead = HttpMethod::kHead;
constexpr auto kPut = HttpMethod::kPut;
constexpr auto kPost = HttpMethod::kPost;
constexpr auto kDelete = HttpMethod::kDelete;

}  // namespace

const Exchanges kWithoutCluster{
    {{kGet, kHead, kPut, kPost, kDelete}, "/kv/a", 503},
    {{kGet, kHead, kDelete}, "/kv/?prefix=a", 503},
    {{kPost}, "/txn", 503, "", "{}"},
    {{kPost}, "/session", 503},
    {{kDelete}, "/session/1", 503},
    {{kGet, kHead}, "/settings", 503},
    {{kGet}, "/watch?key=a", 503},
    {{kGet, kHead}, "/lease", 503},
    {{kPost}, "/lease?ttl=1h", 503},
    {{kGet, kHead, kDelete}, "/lease/1", 503},
    {{kPost}, "/lease/1/keepalive", 503},
    {{kPost}, "/lock/a?ttl=1h", 503},
    {{kDelete}, "/lock/a?token=1", 503},
    {{kPut}, "/settings", 503, "", "{}"},
    {{kGet, kHead}, "/status", 200},
    {{kGet, kHead}, "/members", 503},
    {{kPost}, "/join", 503, "", R"({"id":"ghost","address":"127.0.0.1:1"})"},
    {{kPost}, "/remove", 503, "", R"({"id":"ghost"})"},
    {{kPost}, "/promote", 503, "", R"({"id":"ghost"})"},
    {{kPost}, "/transfer", 503, "", "{}"},
    {{kGet, kHead}, "/livez", 200},
    {{kGet, kHead}, "/readyz", 503},
    {{kGet, kHead}, "/health", 503},
};

const Exchanges kReads{
    {{kPut}, "/kv/a", 200, "", "1"},
    {{kPut}, "/kv/%ff", 200, "", "\xff"},
    {{kGet, kHead}, "/kv/a", 200},
    {{kGet, kHead}, "/kv/%ff", 200},
    {{kGet, kHead}, "/kv/a?consistency=lease&min_revision=1&redirect=false", 200},
    {{kGet, kHead}, "/kv/a?consistency=stale&max_staleness=1h", 200, "X-Consistency: stale\r\n"},
    {{kGet, kHead}, "/kv/a?revision=2", 200},
    {{kGet, kHead}, "/kv/a", 200, "If-None-Match: \"1\"\r\n"},
    {{kGet, kHead}, "/kv/a", 304, "If-None-Match: *\r\n"},
    {{kGet, kHead}, "/kv/a?redirect=true", 307},
    {{kGet, kHead}, "/kv/a?consistency=some", 400},
    {{kGet, kHead}, "/kv/a?revision=1000000", 400},
    {{kGet, kHead}, "/kv/absent", 404},
    {{kGet, kHead}, "/kv/?prefix=&start=a&end=z&limit=1&keys=true&reverse=true", 200},
    {{kGet, kHead}, "/kv/?prefix=&limit=1", 200},
    {{kGet, kHead}, "/kv/?start=%ff&redirect=false", 200},
    {{kGet, kHead}, "/kv/?prefix=&count=true&revision=2&min_revision=1", 200},
    {{kGet, kHead},
     "/kv/?end=z&consistency=stale&max_staleness=1h",
     200,
     "X-Consistency: stale\r\n"},
    {{kGet, kHead}, "/kv/?prefix=a&redirect=true", 307},
    {{kGet, kHead}, "/kv/", 400},
};

const Exchanges kWrites{
    {{kPut, kPost}, "/kv/a?prev=true&redirect=false", 200, "", "2"},
    {{kPut, kPost}, "/kv/a", 200, "If-Match: *\r\n", "3"},
    {{kPut}, "/kv/new-1?prev=true&cas=0", 200, "", "1"},
    {{kPost}, "/kv/new-2?prev=true&cas=0", 200, "", "1"},
    {{kPut}, "/kv/new-3", 200, "If-None-Match: *\r\n", "1"},
    {{kPost}, "/kv/new-4", 200, "If-None-Match: *\r\n", "1"},
    {{kPut, kPost, kDelete}, "/kv/a?redirect=true", 307},
    {{kPut, kPost, kDelete}, "/kv/a?cas=many", 400},
    {{kPut, kPost, kDelete}, "/kv/a?cas=1000", 412},
    {{kPut, kPost}, "/kv/a", 413, "", std::string((1 << 20) + 1, 'v')},
    {{kDelete}, "/kv/a?prev=true&redirect=false", 200, "If-Match: *\r\n"},
    {{kDelete}, "/kv/a?prev=true", 200},
    {{kDelete}, "/kv/a?cas=0", 200},
    {{kDelete}, "/kv/a", 200, "If-None-Match: *\r\n"},
    {{kDelete}, "/kv/?prefix=a&start=a&end=b&redirect=false", 200},
    {{kDelete}, "/kv/?start=a&end=b", 200},
    {{kDelete}, "/kv/?prefix=a&redirect=true", 307},
    {{kDelete}, "/kv/?start=a", 400},
    {{kPost}, "/session", 200},
    {{kPut, kPost}, "/kv/a", 200, "Anchor-Session: 1\r\nAnchor-Sequence: 1\r\n", "1"},
    {{kDelete}, "/kv/a", 200, "Anchor-Session: 1\r\nAnchor-Sequence: 2\r\n"},
    {{kDelete}, "/kv/?prefix=a", 200, "Anchor-Session: 1\r\nAnchor-Sequence: 3\r\n"},
    {{kPost}, "/txn", 200, "Anchor-Session: 1\r\nAnchor-Sequence: 4\r\n", "{}"},
    {{kPut, kPost, kDelete}, "/kv/a", 404, "Anchor-Session: 9\r\nAnchor-Sequence: 1\r\n"},
    {{kPut, kPost, kDelete}, "/kv/a", 409, "Anchor-Session: 1\r\nAnchor-Sequence: 9\r\n"},
    {{kDelete}, "/kv/?prefix=a", 404, "Anchor-Session: 9\r\nAnchor-Sequence: 1\r\n"},
    {{kDelete}, "/kv/?prefix=a", 409, "Anchor-Session: 1\r\nAnchor-Sequence: 9\r\n"},
    {{kPost}, "/txn", 404, "Anchor-Session: 9\r\nAnchor-Sequence: 1\r\n", "{}"},
    {{kPost}, "/txn", 409, "Anchor-Session: 1\r\nAnchor-Sequence: 9\r\n", "{}"},
    {{kDelete}, "/session/9", 404},
    {{kDelete}, "/session/1", 200},
    {{kDelete}, "/session/1", 410},
    {{kPut, kPost, kDelete}, "/kv/a", 410, "Anchor-Session: 1\r\nAnchor-Sequence: 5\r\n"},
    {{kDelete}, "/kv/?prefix=a", 410, "Anchor-Session: 1\r\nAnchor-Sequence: 5\r\n"},
    {{kPost}, "/txn", 410, "Anchor-Session: 1\r\nAnchor-Sequence: 5\r\n", "{}"},
};

const Exchanges kTransactions{
    {{kPost},
     "/txn",
     200,
     "",
     R"({"compare": [{"key": "t", "target": "exists", "op": "=", "value": false},
                     {"key": "dA==", "key_encoding": "base64", "target": "version", "op": "<",
                      "value": 1},
                     {"key": "t", "target": "value", "op": "=", "value": "1"}],
         "success": [{"op": "put", "key": "t", "value": "1"}],
         "failure": [{"op": "put", "key": "t", "value": "/w==", "encoding": "base64"}]})"},
    {{kPost},
     "/txn",
     200,
     "",
     R"({"success": [{"op": "put", "key": "t", "value": "2", "prev": true},
                     {"op": "put", "key": "u", "value": "", "prev": true},
                     {"op": "delete", "prefix": "v", "start": "v", "end": "w", "prev": true},
                     {"op": "get", "prefix": "", "limit": 1, "keys": true, "reverse": true},
                     {"op": "get", "key": "t"}]})"},
    {{kPost}, "/txn", 200, "", R"({"success": [{"op": "delete", "key": "t", "prev": true}]})"},
    {{kPost}, "/txn", 400, "", R"({"success": [{"op": "move", "key": "t"}]})"},
    {{kPost}, "/txn", 415, "Content-Type: text/plain\r\n", "{}"},
};

const Exchanges kWatches{
    {{kPut}, "/kv/w%2f1", 200, "", "1"},
    {{kPut}, "/kv/w%2f%ff", 200, "", "\xff"},
    {{kDelete}, "/kv/?prefix=w", 200},
    {{kPut}, "/kv/wend", 200, "", "1"},
    {{kGet}, "/watch?prefix=w&from=1", 200, "", "", "wend"},
    {{kGet}, "/watch?prefix=w&from=1&prev=true&progress=false", 200, "", "", "wend"},
    {{kGet}, "/watch?key=wend&from=1000000", 200, "Last-Event-ID: 1\r\n", "", "wend"},
    {{kGet}, "/watch?key=wend&progress=true", 200, "", "", "event: progress"},
    {{kGet}, "/watch", 400},
};

const Exchanges kLeases{
    {{kPost}, "/lease?ttl=1h", 200},
    {{kPut, kPost}, "/kv/l?lease=1", 200, "", "1"},
    {{kPut, kPost}, "/kv/%ff?lease=1", 200, "", "1"},
    {{kPost},
     "/txn",
     200,
     "",
     R"({"success": [{"op": "put", "key": "m", "value": "1", "lease": 1}]})"},
    {{kPut, kPost}, "/kv/n?ttl=1h", 200, "", "1"},
    {{kGet, kHead}, "/lease", 200},
    {{kGet, kHead}, "/lease/1", 200},
    {{kPost}, "/lease/1/keepalive", 200},
    {{kPut, kPost}, "/kv/l?lease=99", 404, "", "1"},
    {{kPost},
     "/txn",
     404,
     "",
     R"({"success": [{"op": "put", "key": "m", "value": "1", "lease": 99}]})"},
    {{kGet, kHead, kDelete}, "/lease/99", 404},
    {{kPost}, "/lease/99/keepalive", 404},
    {{kPut, kPost}, "/kv/l?ttl=1ms", 400, "", "1"},
    {{kPut, kPost}, "/kv/l?ttl=1h&lease=1", 400, "", "1"},
    {{kGet, kHead}, "/lease?ttl=1h", 400},
    {{kPost}, "/lease", 400},
    {{kGet, kHead, kDelete}, "/lease/a", 400},
    {{kDelete}, "/lease/1", 200},
};

const Exchanges kLocks{
    {{kPost}, "/lock/a%2f%ff?ttl=1h&wait=1s", 200},
    {{kPost}, "/lock/a%2f%ff?ttl=1h", 409},
    {{kPost}, "/lock/a", 400},
    {{kDelete}, "/lock/a", 400},
    {{kDelete}, "/lock/a%2f%ff?token=1", 404},
    {{kDelete}, "/lock/a%2f%ff?token={token}", 200},
};

const Exchanges kBounds{
    {{kGet, kHead}, "/settings", 200},
    {{kPut}, "/settings", 400, "", R"({"session_count": 0})"},
    {{kPut}, "/settings", 415, "Content-Type: text/plain\r\n", "{}"},
    {{kPost}, "/session", 200},
    {{kPut}, "/settings", 200, "", R"({"session_count": 1, "lease_count": 1})"},
    {{kPost}, "/session", 429},
    {{kPost}, "/lease?ttl=1h", 429},
    {{kPut, kPost}, "/kv/l?ttl=1h", 429, "", "1"},
    {{kPost}, "/lock/b?ttl=1h", 429},
    {{kPut}, "/kv/large", 200, "", std::string(5000, 'v')},
    {{kPut},
     "/settings",
     200,
     "",
     R"({"history_revisions": 0, "quota_bytes": 4096, "session_count": 10000,
         "lease_count": 1000000})"},
    {{kPut, kPost}, "/kv/more", 507, "", "1"},
    {{kPost}, "/txn", 507, "", R"({"success": [{"op": "put", "key": "more", "value": "1"}]})"},
    {{kPost}, "/session", 507},
    {{kPost}, "/lease?ttl=1h", 507},
    {{kPost}, "/lock/b?ttl=1h", 507},
    {{kDelete}, "/kv/large?prev=true", 200, "Anchor-Session: 2\r\nAnchor-Sequence: 1\r\n"},
    {{kDelete}, "/kv/large", 200},
    {{kGet, kHead}, "/kv/a?revision=2", 410},
    {{kGet, kHead}, "/kv/?prefix=a&revision=2", 410},
    {{kGet}, "/watch?key=a&from=2", 200},
};

const Exchanges kAdministration{
    {{kGet, kHead}, "/status", 200},
    {{kPost},
     "/join",
     200,
     "",
     R"({"id": "n4", "address": "127.0.0.1:1", "http_address": "127.0.0.1:1", "learner": true})"},
    {{kGet, kHead}, "/members", 200},
    {{kPost}, "/promote", 409, "", R"({"id": "n4"})"},
    {{kPost}, "/transfer", 409, "", R"({"to": "n4"})"},
    {{kPost}, "/remove", 200, "", R"({"id": "n4", "force": false})"},
    {{kPost}, "/promote", 200, "", R"({"id": "n1"})"},
    {{kPost}, "/transfer", 200, "", "{}"},
    {{kPost}, "/join", 400, "", R"({"id": "n4"})"},
    {{kPost}, "/remove", 400, "", R"({"id": "-"})"},
    {{kPost}, "/promote", 400, "", R"({"id": 4})"},
    {{kPost}, "/transfer", 400, "", "[]"},
    {{kPost}, "/remove", 404, "", R"({"id": "n4"})"},
    {{kPost}, "/promote", 404, "", R"({"id": "n4"})"},
    {{kPost}, "/transfer", 404, "", R"({"to": "n4"})"},
    {{kPost}, "/join", 415, "Content-Type: text/plain\r\n", "{}"},
    {{kPost}, "/remove", 415, "Content-Type: text/plain\r\n", "{}"},
    {{kPost}, "/promote", 415, "Content-Type: text/plain\r\n", "{}"},
    {{kPost}, "/transfer", 415, "Content-Type: text/plain\r\n", "{}"},
    {{kGet, kHead}, "/livez?exclude=loop", 200},
    {{kGet, kHead}, "/readyz?exclude=leader,log", 200},
    {{kGet, kHead}, "/health?exclude=leader", 200},
    {{kGet, kHead}, "/health?exclude=everything", 400},
    {{kPost}, "/join", 200, "", R"({"id": "n4", "address": "127.0.0.1:1"})"},
    {{kGet, kHead}, "/members", 200},
};

const Exchanges kOnLeader{
    {{kGet, kHead}, "/status", 200},
    {{kGet, kHead}, "/members", 200},
};

const Exchanges kWithoutLeader{
    {{kPost}, "/lease/1/keepalive", 504},
};

const Exchanges kWithoutQuorum{
    {{kPut, kPost, kDelete}, "/kv/a", 504},
    {{kDelete}, "/kv/?prefix=a", 504},
    {{kPost}, "/txn", 504, "", "{}"},
    {{kPost}, "/session", 504},
    {{kDelete}, "/session/1", 504},
    {{kPost}, "/lease?ttl=1h", 504},
    {{kDelete}, "/lease/2", 504},
    {{kPost}, "/lease/2/keepalive", 503},
    {{kPost}, "/lock/b?ttl=1h", 504},
    {{kPut}, "/settings", 504, "", "{}"},
    {{kPost}, "/join", 504, "", R"({"id": "n5", "address": "127.0.0.1:2"})"},
    {{kPost}, "/join", 409, "", R"({"id": "n6", "address": "127.0.0.1:3"})"},
    {{kPost}, "/remove", 409, "", R"({"id": "n1"})"},
};

const std::map<std::string, std::set<int>> kExceptions{{"POST /remove", {504}},
                                                       {"POST /promote", {504}},
                                                       {"POST /transfer", {504}},
                                                       {"DELETE /lock/{name}", {504}}};

}  // namespace anchor::cluster
