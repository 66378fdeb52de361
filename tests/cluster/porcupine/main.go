// Porcupine's verdict on the linearizability of histories, as a second opinion on nalanda-check.
//
// Prints a line for each file: its path, a tab, and "sound", "violated" or "undecided".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	longestLine = 1 << 20
	timeout     = 2 * time.Minute
)

type line struct {
	Process     int    `json:"process"`
	Op          string `json:"op"`
	Key         string `json:"key"`
	Value       any    `json:"value"`
	Consistency string `json:"consistency"`
	InvokeNs    int64  `json:"invoke_ns"`
	CompleteNs  *int64 `json:"complete_ns"`
	Outcome     string `json:"outcome"`
}

func (l line) changes() bool { return l.Op == "write" || l.Op == "delete" }

// ordered says whether linearizability is promised to the operation, and it may have had an effect.
func (l line) ordered() bool {
	if l.changes() {
		return l.Outcome != "fail"
	}
	return l.Outcome == "ok" && (l.Consistency == "" || l.Consistency == "strong")
}

// register is a chunk: a write or delete sets its value, a read or search sees it; nil is absent.
var register = porcupine.Model{
	Partition: byKey,
	Init:      func() any { return nil },
	Step: func(state, input, output any) (bool, any) {
		l := input.(line)
		if l.changes() {
			return true, l.Value
		}
		return state == output, state
	},
}

func byKey(history []porcupine.Operation) [][]porcupine.Operation {
	keys := map[string][]porcupine.Operation{}
	for _, operation := range history {
		key := operation.Input.(line).Key
		keys[key] = append(keys[key], operation)
	}
	partitions := make([][]porcupine.Operation, 0, len(keys))
	for _, partition := range keys {
		partitions = append(partitions, partition)
	}
	return partitions
}

func read(path string) ([]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, longestLine)
	scanner.Scan() // the header
	var history []porcupine.Operation
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			return nil, err
		}
		if !l.ordered() {
			continue
		}
		end := int64(math.MaxInt64) // an unknown outcome may come at any time
		if l.Outcome == "ok" && l.CompleteNs != nil {
			end = *l.CompleteNs
		}
		history = append(history, porcupine.Operation{
			ClientId: l.Process, Input: l, Call: l.InvokeNs, Output: l.Value, Return: end,
		})
	}
	return history, scanner.Err()
}

func main() {
	verdicts := map[porcupine.CheckResult]string{
		porcupine.Ok: "sound", porcupine.Illegal: "violated", porcupine.Unknown: "undecided",
	}
	for _, path := range os.Args[1:] {
		history, err := read(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(2)
		}
		fmt.Printf("%s\t%s\n", path, verdicts[porcupine.CheckOperationsTimeout(register, history, timeout)])
	}
}
