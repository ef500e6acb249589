package module

// custom notes the name of a custom section. Debug data in it may be anything, with one exception: Envoy reads the first
// "name" section and refuses the module if its function names are damaged (proxy-wasm-cpp-host, bytecode_util.cc).
func (w *walk) custom(c *cursor) {
	start := c.at
	name := c.name("the name of a custom section")
	if c.err != nil {
		return
	}
	if len(w.out.Custom) == maxCustom {
		c.fail(start, "more than %d custom sections", maxCustom)
		return
	}
	w.out.Custom = append(w.out.Custom, name)
	if name == "name" && !w.named {
		w.named = true
		functionNames(c)
	}
}

func functionNames(c *cursor) {
	const functions = 1
	for c.more() {
		id := c.byte()
		sub := c.part("a part of the name section", c.u32())
		if c.err != nil || id != functions {
			continue
		}
		for range sub.count("function names", 1, maxFunctions*2) {
			sub.u32()
			sub.part("the name of a function", sub.u32())
			if sub.err != nil {
				break
			}
		}
		sub.whole("the list of function names")
		c.err = sub.err
	}
}
