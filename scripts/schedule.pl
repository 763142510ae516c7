# Says how soon Linux serves a program on a machine that others keep busy:
#   perl schedule.pl --slice MS [--nice NICE] COMMAND [ARGUMENT ...]
#   perl schedule.pl --slice MS --pid PID
# A thread that wakes takes the processor at once from one with longer slices (Linux 6.12 and later), else at the end of
# a slice of 3 ms. Short slices need no privilege, give no larger share of the processor, and are inherited by threads
# and children. A nice below 0 gives a larger share, so that a thread that has just run is not told to wait for the
# others; it needs CAP_SYS_NICE. What the kernel does not know or grant is left out: the command runs as ever.
use strict;
use warnings;
use Getopt::Long qw(:config require_order);

my $usage = "usage: perl schedule.pl --slice MS [--nice NICE] COMMAND [ARGUMENT ...] | --slice MS --pid PID\n";
my ($slice, $nice, $pid);
GetOptions('slice=f' => \$slice, 'nice=i' => \$nice, 'pid=i' => \$pid) or die $usage;
die $usage unless defined $slice && (defined $pid ? !@ARGV && !defined $nice : @ARGV);

# sched_setattr(2) by the machine's number for it.
my %call = ('x86_64' => 314, 'aarch64' => 274, 'riscv64' => 274, 'ppc64le' => 355, 's390x' => 345);
my $machine = `uname -m`;
chomp $machine;

sub set_slice {
    my ($thread) = @_;
    return unless $^O eq 'linux' && exists $call{$machine};
    # struct sched_attr: size, policy (SCHED_OTHER), flags, nice, priority, runtime (ns), deadline, period
    my $attributes = pack('L L Q l L Q Q Q', 48, 0, 0, getpriority(0, $thread), 0, $slice * 1_000_000, 0, 0);
    syscall($call{$machine}, $thread, $attributes, 0);
}

if (defined $pid) {
    set_slice($_ =~ m{(\d+)$}) for glob("/proc/$pid/task/*");
    exit 0;
}
if (defined $nice) {
    # Perl warns of nothing where it is refused; a session of its own may be weighed as a whole.
    setpriority(0, 0, $nice);
    if (open(my $group, '>', '/proc/self/autogroup')) {
        print {$group} $nice;
        close($group);
    }
}
set_slice(0);
exec { $ARGV[0] } @ARGV or die "schedule.pl: $ARGV[0]: $!\n";
