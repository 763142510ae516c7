// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice An ERC-1271 wallet that accepts the ECDSA signatures of one key.
contract SmartWallet {
    address private immutable _signer;

    constructor(address signer) {
        _signer = signer;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) public view virtual returns (bytes4) {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        bool valid = ecrecover(digest, uint8(signature[64]), r, s) == _signer;
        return valid ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice The code of a delegate (EIP-7702) that accepts no signature.
contract RefusingDelegate {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0xffffffff;
    }
}

/// @notice Takes ERC-721 tokens and, while it does, uses its new ownership at once.
contract Receiver {
    address private _target;
    bytes[] private _calls;

    function onReceipt(address target, bytes[] calldata calls) external {
        _target = target;
        for (uint256 i = 0; i < calls.length; ++i) _calls.push(calls[i]);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        for (uint256 i = 0; i < _calls.length; ++i) {
            // solhint-disable-next-line avoid-low-level-calls
            (bool success, bytes memory result) = _target.call(_calls[i]);
            require(success, string(result));
        }
        return this.onERC721Received.selector;
    }
}

/// @notice An ERC-1271 wallet that burns as much gas as it is told and then accepts the signatures of one key.
contract ExpensiveWallet is SmartWallet {
    uint256 private immutable _gas;

    constructor(address signer, uint256 gas_) SmartWallet(signer) {
        _gas = gas_;
    }

    function isValidSignature(
        bytes32 digest,
        bytes calldata signature
    ) public view override returns (bytes4) {
        uint256 until = gasleft() - _gas;
        while (gasleft() > until) {}
        return super.isValidSignature(digest, signature);
    }
}

/// @notice An ERC-1271 wallet that burns all of its gas.
contract GasBurner {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        // solhint-disable-next-line no-inline-assembly
        assembly {
            invalid()
        }
    }
}

/// @notice An ERC-1271 wallet whose answer, or revert, is as long as its gas allows.
contract ReturnBomb {
    uint256 private constant LENGTH = 350_000;

    bool private immutable _reverts;

    constructor(bool reverts) {
        _reverts = reverts;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        bool reverts = _reverts;
        // solhint-disable-next-line no-inline-assembly
        assembly {
            if reverts {
                revert(0, LENGTH)
            }
            return(0, LENGTH)
        }
    }
}

/// @notice An ERC-1271 wallet that calls back while it is asked, and then accepts whatever was signed.
contract ReenteringWallet {
    address private _target;
    bytes private _call;

    function onQuestion(address target, bytes calldata call) external {
        _target = target;
        _call = call;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        // Part of its gas only: writing in a static call burns all of it.
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, ) = _target.call{gas: 200_000}(_call);
        require(!success, "the call back was let through");
        return this.isValidSignature.selector;
    }
}
