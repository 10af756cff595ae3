// Package console writes for people: a block of lines that redraws itself on a
// terminal, a plain line every few seconds elsewhere, and colours where they
// are wanted.
//
// An [Output] is a stream and what it can show. A [Live] shows a [View] on it
// while some work runs. A [Task] is one line of progress, a [Meter] the speed
// in it.
//
// It knows nothing of transitions, and nothing that it writes is meant for a
// program to read.
package console
