// SPDX-License-Identifier: BSD-3-Clause

package graph

import "github.com/arrayrun/arrayrun/kernels"

// rewriteFold computes an operation of constants now, with the bits a device
// would give. What EvalConst refuses stays, so that the engine reports it.
func rewriteFold(_ *rewriter, n *Node) *Node {
	args := make([]kernels.Const, len(n.In))
	for i, x := range n.In {
		f, ok := x.Arg.(FillArg)
		if !ok || f.Axis >= 0 {
			return nil
		}
		args[i] = f.Const
	}
	c, err := kernels.EvalConst(n.Arg.(MapArg).Op, n.DType, args...)
	if err != nil || c.DType != n.DType {
		return nil
	}
	return like(n, Fill, nil, FillArg{Const: c, Axis: -1})
}
