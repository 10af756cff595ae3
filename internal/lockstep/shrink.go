package lockstep

import "slices"

// Shrink makes a tree smaller, in place, as long as fails says that what is
// left still fails. What a candidate means is not looked at: one that makes no
// sense does not fail in the way that fails asks for.
func Shrink(root *Node, fails func() bool) {
	for leaveOut(root, fails) || replace(root, fails) {
		// Each round makes the tree smaller, so this ends.
	}
}

// leaveOut leaves out everything that the failure does not need.
func leaveOut(root *Node, fails func() bool) (changed bool) {
	var switches []*Switch
	root.walk(func(n *Node) {
		if n.Switch != nil && !slices.Contains(switches, n.Switch) {
			switches = append(switches, n.Switch)
		}
	})
	for _, s := range switches {
		s.off = true
		if fails() {
			changed = true
			continue
		}
		s.off = false
	}
	return changed
}

// replace puts, in the place of a node, the simplest text of its sort or a node
// of the same sort from inside it.
func replace(root *Node, fails func() bool) (changed bool) {
	var nodes []*Node
	root.walk(func(n *Node) {
		if n.Sort != "" {
			nodes = append(nodes, n)
		}
	})
	size := root.size()
	for _, n := range nodes {
		was := *n
		for _, candidate := range n.smaller() {
			n.Parts, n.Sep, n.Simple, n.Total = candidate.Parts, candidate.Sep, candidate.Simple, candidate.Total
			if root.size() < size && fails() {
				size, changed = root.size(), true
				break
			}
			*n = was
		}
	}
	return changed
}

// smaller are the nodes that could stand for n.
func (n *Node) smaller() (list []Node) {
	if n.Simple != "" && (len(n.Parts) != 1 || n.Parts[0] != Text(n.Simple)) {
		list = append(list, Node{Parts: []Part{Text(n.Simple)}})
	}
	n.walk(func(inner *Node) {
		if inner != n && inner.Sort == n.Sort {
			list = append(list, *inner)
		}
	})
	return list
}

// size is what a replacement must make smaller.
func (n *Node) size() int { return len(n.Spell(Expanded).SQL) }
