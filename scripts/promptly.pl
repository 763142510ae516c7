# Runs a command that is to be served at once whenever it has something to do, on a machine that others keep busy:
#   perl scripts/promptly.pl COMMAND [ARGUMENT ...]
# Asks Linux (6.12 and later) for slices of a tenth of a millisecond, with which a woken thread need not wait for the
# end of another's slice of 3 ms. It needs no privilege, gives no larger share of the processor, and is inherited by
# threads and children. Where the kernel does not know it the command runs as ever.
use strict;
use warnings;

die "usage: perl promptly.pl COMMAND [ARGUMENT ...]\n" unless @ARGV;

# ns; the least that the kernel takes.
my $slice = 100_000;
# sched_setattr(2) by the machine's number for it.
my %call = ('x86_64' => 314, 'aarch64' => 274, 'riscv64' => 274, 'ppc64le' => 355, 's390x' => 345);
my $machine = `uname -m`;
chomp $machine;
if ($^O eq 'linux' && exists $call{$machine}) {
    # struct sched_attr: size, policy (SCHED_OTHER), flags, nice, priority, runtime, deadline, period
    my $nice = getpriority(0, 0);
    my $attributes = pack('L L Q l L Q Q Q', 48, 0, 0, $nice, 0, $slice, 0, 0);
    syscall($call{$machine}, 0, $attributes, 0);
}
exec { $ARGV[0] } @ARGV or die "promptly.pl: $ARGV[0]: $!\n";
