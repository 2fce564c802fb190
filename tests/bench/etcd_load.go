// A closed-loop load on etcd through its own client (gRPC), with the flags and the JSON of
// `anchorctl bench`, so that one script can drive both.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/clientv3"
)

type plan struct {
	mode       string
	clients    int
	keys       int
	valueBytes int
	warmup     time.Duration
	duration   time.Duration
	timeout    time.Duration
	watchers   int
	leases     []clientv3.LeaseID // that are kept alive
}

// What one caller has seen; callers share nothing while they run.
type tally struct {
	latencies []time.Duration // of what ended after the warm-up
	ops       int             // of those, what ended in time
	errors    int
	lastError error
}

// The keys in a list.
const listed = 1000

func keyName(i int) string { return fmt.Sprintf("bench-%012d", i) }

func randomValue(size int) string {
	letters := make([]byte, size)
	for i := range letters {
		letters[i] = byte('a' + rand.Intn(26))
	}
	return string(letters)
}

func connect(endpoints string, count int) []*clientv3.Client {
	connections := make([]*clientv3.Client, count)
	for i := range connections {
		client, err := clientv3.New(clientv3.Config{
			Endpoints: strings.Split(endpoints, ","), DialTimeout: 5 * time.Second})
		if err != nil {
			fail(err)
		}
		connections[i] = client
	}
	return connections
}

// Calls `do` once for each number below `count`, many at a time.
func forEach(connections []*clientv3.Client, count int, do func(*clientv3.Client, int) error) {
	var next int64 = -1
	var callers sync.WaitGroup
	for i := 0; i < 128; i++ {
		callers.Add(1)
		go func(client *clientv3.Client) {
			defer callers.Done()
			for at := atomic.AddInt64(&next, 1); at < int64(count); at = atomic.AddInt64(&next, 1) {
				if err := do(client, int(at)); err != nil {
					fail(err)
				}
			}
		}(connections[i%len(connections)])
	}
	callers.Wait()
}

// Reads find every key: a miss would be cheaper than a hit.
func fill(connections []*clientv3.Client, p plan, value string) {
	forEach(connections, p.keys, func(client *clientv3.Client, at int) error {
		_, err := client.Put(context.Background(), keyName(at), value)
		return err
	})
}

func grantAll(connections []*clientv3.Client, p plan) []clientv3.LeaseID {
	leases := make([]clientv3.LeaseID, p.keys)
	forEach(connections, p.keys, func(client *clientv3.Client, at int) error {
		granted, err := client.Grant(context.Background(), 600)
		if err == nil {
			leases[at] = granted.ID
		}
		return err
	})
	return leases
}

// Counts the events of all keys of the load that each watcher gets, from after the warm-up to the
// end, and holds them to be in order.
func watch(connections []*clientv3.Client, p plan) int {
	ctx, cancel := context.WithCancel(context.Background())
	begin := time.Now().Add(p.warmup)
	end := begin.Add(p.duration)
	var events, errors int64
	var watchers sync.WaitGroup
	for i := 0; i < p.watchers; i++ {
		watchers.Add(1)
		go func(client *clientv3.Client) {
			defer watchers.Done()
			var seen int64
			for reply := range client.Watch(ctx, "bench-", clientv3.WithPrefix()) {
				now := time.Now()
				if reply.Err() != nil && ctx.Err() == nil {
					atomic.AddInt64(&errors, 1)
				}
				for _, event := range reply.Events {
					if event.Kv.ModRevision < seen {
						atomic.AddInt64(&errors, 1)
					}
					seen = event.Kv.ModRevision
				}
				if now.After(begin) && now.Before(end) {
					atomic.AddInt64(&events, int64(len(reply.Events)))
				}
			}
		}(connections[i%len(connections)])
	}
	time.Sleep(time.Until(end))
	cancel()
	watchers.Wait()
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"ops": events, "ops_per_second": float64(events) / p.duration.Seconds(), "p99_us": 0,
		"errors": errors, "unknown": 0, "seconds": p.duration.Seconds()})
	if errors > 0 || events == 0 {
		return 1
	}
	return 0
}

func call(client *clientv3.Client, p plan, key, value string) error {
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	switch p.mode {
	case "put":
		_, err := client.Put(ctx, key, value)
		return err
	case "txn":
		reply, err := client.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(key), ">", 0)).
			Then(clientv3.OpPut(key, value), clientv3.OpPut("other-"+key, value)).Commit()
		if err == nil && !reply.Succeeded {
			return fmt.Errorf("%s is missing", key)
		}
		return err
	case "grant":
		_, err := client.Grant(ctx, 600)
		return err
	case "keepalive":
		_, err := client.KeepAliveOnce(ctx, p.leases[rand.Intn(len(p.leases))])
		return err
	case "list":
		reply, err := client.Get(ctx, key, clientv3.WithRange("bench."), clientv3.WithLimit(listed))
		if err == nil && len(reply.Kvs) != listed {
			return fmt.Errorf("%d keys from %s on", len(reply.Kvs), key)
		}
		return err
	}
	// Linearizable, which is etcd's default.
	reply, err := client.Get(ctx, key)
	if err == nil && len(reply.Kvs) != 1 {
		return fmt.Errorf("%s is missing", key)
	}
	return err
}

func loop(client *clientv3.Client, p plan, seed int64, value string, begin, end time.Time, t *tally) {
	random := rand.New(rand.NewSource(seed))
	for {
		sent := time.Now()
		if !sent.Before(end) {
			return
		}
		keys := p.keys
		if p.mode == "list" {
			keys -= listed
		}
		err := call(client, p, keyName(random.Intn(keys)), value)
		now := time.Now()
		if now.Before(begin) {
			continue
		}
		if err != nil {
			t.errors++
			t.lastError = err
			continue
		}
		t.latencies = append(t.latencies, now.Sub(sent))
		if now.Before(end) {
			t.ops++
		}
	}
}

func report(tallies []tally, p plan) int {
	var all []time.Duration
	ops, errors := 0, 0
	for _, t := range tallies {
		all = append(all, t.latencies...)
		ops += t.ops
		errors += t.errors
		if t.lastError != nil {
			fmt.Fprintln(os.Stderr, "etcd_load:", t.lastError)
		}
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	quantile := func(q float64) int64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(q*float64(len(all)-1))].Microseconds()
	}
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"ops": ops, "ops_per_second": float64(ops) / p.duration.Seconds(),
		"p50_us": quantile(.5), "p90_us": quantile(.9), "p99_us": quantile(.99),
		"p999_us": quantile(.999), "max_us": quantile(1),
		"errors": errors, "unknown": 0, "seconds": p.duration.Seconds()})
	if errors > 0 || ops == 0 {
		return 1
	}
	return 0
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "etcd_load:", err)
	os.Exit(1)
}

func main() {
	var p plan
	endpoints := flag.String("endpoints", "127.0.0.1:2379", "host:port,...")
	connectionCount := flag.Int("connections", 16, "HTTP/2 connections that the callers share")
	flag.StringVar(&p.mode, "mode", "put", "put, get, txn, list, grant, keepalive or watch")
	flag.IntVar(&p.watchers, "watchers", 100, "watchers of the mode watch, which writes nothing")
	flag.IntVar(&p.clients, "clients", 64, "callers, each with one request in flight")
	flag.IntVar(&p.keys, "keys", 10000, "keys to draw from")
	flag.IntVar(&p.valueBytes, "value-bytes", 256, "size of a value")
	flag.DurationVar(&p.warmup, "warmup", 2*time.Second, "before it is measured")
	flag.DurationVar(&p.duration, "duration", 10*time.Second, "how long to measure")
	flag.DurationVar(&p.timeout, "timeout", 5*time.Second, "of one request")
	flag.Parse()

	value := randomValue(p.valueBytes)
	connections := connect(*endpoints, *connectionCount)
	switch p.mode {
	case "watch":
		os.Exit(watch(connections, p))
	case "keepalive":
		p.leases = grantAll(connections, p)
	case "put", "grant":
	default:
		fill(connections, p, value)
	}
	begin := time.Now().Add(p.warmup)
	end := begin.Add(p.duration)
	tallies := make([]tally, p.clients)
	var callers sync.WaitGroup
	for i := range tallies {
		callers.Add(1)
		go func(i int) {
			defer callers.Done()
			loop(connections[i%len(connections)], p, int64(i), value, begin, end, &tallies[i])
		}(i)
	}
	callers.Wait()
	os.Exit(report(tallies, p))
}
