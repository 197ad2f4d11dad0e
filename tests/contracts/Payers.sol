// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

// Contracts that pay ether on, in the ways that are read wrong most easily.

contract Splitter {
    // Equal parts to each; what cannot be divided stays.
    function split(address payable[] calldata to) external payable {
        for (uint256 i = 0; i < to.length; i++) {
            (bool paid, ) = to[i].call{value: msg.value / to.length}("");
            require(paid, "not paid");
        }
    }

    // Asks a contract of the chain itself first (sha256 at address 2), then pays.
    function hashAndPay(address payable to) external payable {
        require(sha256(abi.encode(to)) != 0);
        (bool paid, ) = to.call{value: msg.value}("");
        require(paid, "not paid");
    }

    // Pays, and then undoes all of it.
    function payAndFail(address payable to) external payable {
        (bool paid, ) = to.call{value: msg.value}("");
        require(!paid, "nope");
    }

    // One call below pays and fails, and is undone with what it paid; another payment is made all the same.
    function payThroughFailing(address payable to, uint256 kept) external payable {
        try this.payAndFail{value: kept}(to) {} catch {}
        (bool paid, ) = to.call{value: msg.value - kept}("");
        require(paid, "not paid");
    }

    // Has another contract's code run in its own name: the value is shown once more there, and moves once.
    function payByDelegate(address code, address payable to) external payable {
        (bool done, ) = code.delegatecall(abi.encodeWithSelector(Splitter.hashAndPay.selector, to));
        require(done, "not done");
    }

    // Makes a contract that is paid when it is made, and ends itself in the same transaction in favour of `heir`.
    function makeAndEnd(address payable heir) external payable {
        Mortal made = new Mortal{value: msg.value}();
        made.end(heir);
    }

    function make(bytes32 salt) external payable returns (address) {
        return address(new Mortal{value: msg.value, salt: salt}());
    }

    // Many payments of a token in one transaction.
    function multisend(address token, address[] calldata to, uint256 units) external {
        for (uint256 i = 0; i < to.length; i++) {
            (bool paid, ) = token.call(
                abi.encodeWithSignature("transferFrom(address,address,uint256)", msg.sender, to[i], units)
            );
            require(paid, "not paid");
        }
    }

    // Many payments of 1, 2, 3 ... wei to one address.
    function spray(address payable to, uint256 times) external payable {
        for (uint256 i = 1; i <= times; i++) {
            (bool paid, ) = to.call{value: i}("");
            require(paid, "not paid");
        }
    }
}

contract Mortal {
    constructor() payable {}

    receive() external payable {}

    function end(address payable heir) external {
        selfdestruct(heir);
    }
}

// Constant product, ether against one token, no fee.
contract Pool {
    address public token;

    constructor(address token_) payable {
        token = token_;
    }

    function buy(address to) external payable returns (uint256 units) {
        uint256 tokens = _tokens();
        uint256 ether_ = address(this).balance - msg.value;
        units = (tokens * msg.value) / (ether_ + msg.value);
        (bool paid, ) = token.call(abi.encodeWithSignature("transfer(address,uint256)", to, units));
        require(paid, "not paid");
    }

    function sell(uint256 units, address payable to) external returns (uint256 out) {
        uint256 tokens = _tokens();
        out = (address(this).balance * units) / (tokens + units);
        (bool taken, ) = token.call(
            abi.encodeWithSignature("transferFrom(address,address,uint256)", msg.sender, address(this), units)
        );
        require(taken, "not taken");
        (bool paid, ) = to.call{value: out}("");
        require(paid, "not paid");
    }

    function _tokens() private view returns (uint256) {
        (bool told, bytes memory answer) = token.staticcall(
            abi.encodeWithSignature("balanceOf(address)", address(this))
        );
        require(told, "not told");
        return abi.decode(answer, (uint256));
    }
}
