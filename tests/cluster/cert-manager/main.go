// Command cert-manager runs the controllers of cert-manager that the tests need
// of it: issuers that sign with a CA or by themselves, and the approver of
// requests. cert-manager publishes them as packages, and its program in another
// module that nothing can require.
//
//	cert-manager KUBECONFIG
//
// The kinds must be there already. It ends when standard input does.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	"github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	"github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	"github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

var names = []string{
	approver.ControllerName,
	ca.CRControllerName,
	selfsigned.CRControllerName,
	clusterissuers.ControllerName,
	issuers.ControllerName,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: cert-manager KUBECONFIG")
		os.Exit(2)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cert-manager:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig: kubeconfig,
		// Nothing else is asked of the API server, and nobody is to wait.
		KubernetesAPIQPS:   100,
		KubernetesAPIBurst: 200,
		// Where the CAs of ClusterIssuers lie.
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: "cert-manager"},
	})
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	controllers := make(map[string]controller.Interface, len(names))
	for _, name := range names {
		if controllers[name], err = controller.Known()[name](factory); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	var running sync.WaitGroup
	for name, one := range controllers {
		running.Go(func() {
			if err := one.Run(1, ctx); err != nil && ctx.Err() == nil {
				fmt.Fprintf(os.Stderr, "cert-manager: %s: %v\n", name, err)
				os.Exit(1)
			}
		})
	}
	running.Wait()
	return nil
}
